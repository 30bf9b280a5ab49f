import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SpillStore } from '../../engine/ports/checkpoint-store.ts'
import { LevelSpillStore, outerFailure } from '../../state/level-spill-store.ts'
import { MemorySpillStore } from '../../state/memory-spill-store.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spill-'))
})

afterEach(async () => {
  await rm(directory, { recursive: true })
})

const key = (text: string) => Buffer.from(text)

describe.each([
  ['memory', async () => new MemorySpillStore()],
  ['level', () => LevelSpillStore.open(join(directory, 'db'), 1 << 20)],
])('%s', (_name, open: () => Promise<SpillStore>) => {
  test('batches are applied in order, and reads are synchronous', async () => {
    const store = await open()
    await Promise.all([
      store.batch([
        { key: key('a'), value: key('1') },
        { key: key('b'), value: key('2') },
      ]),
      store.batch([
        { key: key('a'), value: key('3') },
        { key: key('b'), value: null },
        { key: key('empty'), value: new Uint8Array(0) },
      ]),
    ])
    expect(Buffer.from(store.get(key('a'))!).toString()).toBe('3')
    expect(store.get(key('b'))).toBe(undefined)
    expect(store.get(key('empty'))).toHaveLength(0)
    await Promise.all(Array.from({ length: 300 }, (_, i) => store.batch([{ key: key('n'), value: key(`${i}`) }])))
    expect(Buffer.from(store.get(key('n'))!).toString()).toBe('299')
    await store.clear()
    expect(store.get(key('a'))).toBe(undefined)
    await store.close()
  })
})

test('a database that another has open is refused, one that is damaged begins anew', async () => {
  const first = await LevelSpillStore.open(directory)
  await first.batch([{ key: key('a'), value: key('1') }])
  await expect(LevelSpillStore.open(directory)).rejects.toMatchObject({ code: 'LOG_LOCKED' })
  await first.close()
  await rm(join(directory, 'CURRENT'))
  const { writeFile } = await import('node:fs/promises')
  await writeFile(join(directory, 'CURRENT'), 'MANIFEST-999999\n')
  const again = await LevelSpillStore.open(directory)
  expect(again.get(key('a'))).toBe(undefined)
  await again.close()
})

test('one that does not open because the disk is full says so: that passes, and it is not the code of the job that failed', () => {
  const refused = (words: string) =>
    new Error('Database failed to open', { cause: new Error(`IO error: /data/spill/MANIFEST-000001: ${words}`) })
  for (const words of ['No space left on device', 'Disk quota exceeded'])
    expect(outerFailure('/data/spill', refused(words))).toMatchObject({ code: 'DISK_FULL', retry: 'after-backoff' })
  const other = refused('Permission denied')
  expect(outerFailure('/data/spill', other)).toBe(undefined)
})

test('the memory store can lose its last batches, or one in the middle', async () => {
  const filled = async () => {
    const store = new MemorySpillStore()
    for (const name of ['a', 'b', 'c']) await store.batch([{ key: key(name), value: key(name) }])
    return store
  }
  const present = (store: MemorySpillStore) => ['a', 'b', 'c'].filter((name) => store.get(key(name)) !== undefined)
  const tail = await filled()
  tail.crash('tail', () => 2)
  expect(present(tail)).toEqual(['a'])
  const hole = await filled()
  hole.crash('hole', () => 1)
  expect(present(hole)).toEqual(['a', 'c'])
})
