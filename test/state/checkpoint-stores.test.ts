import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { NodeFileSystem } from '../../engine/log/embedded/node-file-system.ts'
import type { CheckpointStore } from '../../engine/ports/checkpoint-store.ts'
import type { FileSystem, WriteFile } from '../../engine/ports/file-system.ts'
import { DirectoryCheckpointStore } from '../../state/directory-checkpoint-store.ts'
import { MemoryCheckpointStore } from '../../state/memory-checkpoint-store.ts'

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'checkpoints-'))
})

afterEach(async () => {
  await rm(directory, { recursive: true })
})

const bytes = (text: string) => Buffer.from(text)

async function* later(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    await new Promise((resolve) => setImmediate(resolve))
    yield bytes(part)
  }
}

describe.each([
  ['memory', () => new MemoryCheckpointStore()],
  ['directory', () => new DirectoryCheckpointStore(new NodeFileSystem(directory))],
])('%s', (_name, open: () => CheckpointStore) => {
  test('what was put is read in pieces, listed in order, replaced, removed', async () => {
    const store = open()
    await store.put('b', later('first ', 'second'))
    await store.put('a', [bytes('1')])
    expect(await store.list()).toEqual(['a', 'b'])
    expect(await store.size('b')).toBe(12)
    expect(Buffer.from((await store.read('b', 6, 3))!).toString()).toBe('sec')
    expect(Buffer.from((await store.read('b', 9, 100))!).toString()).toBe('ond')
    expect(await store.read('b', 12, 10)).toHaveLength(0)
    await store.put('b', [])
    expect(await store.size('b')).toBe(0)
    await store.remove('b')
    await store.remove('b')
    expect(await store.list()).toEqual(['a'])
    expect(await store.read('b', 0, 1)).toBe(null)
    expect(await store.size('b')).toBe(null)
  })

  test('a put that fails in the middle leaves nothing, or what was there before', async () => {
    const store = open()
    await store.put('old', [bytes('old')])
    async function* broken(): AsyncGenerator<Uint8Array> {
      yield bytes('half')
      throw new Error('no more')
    }
    await expect(store.put('new', broken())).rejects.toThrow('no more')
    await expect(store.put('old', broken())).rejects.toThrow('no more')
    expect(await store.list()).toEqual(['old'])
    expect(Buffer.from((await store.read('old', 0, 9))!).toString()).toBe('old')
  })
})

test('what a crash left half written is not listed, and is removed', async () => {
  await writeFile(join(directory, 'x.tmp'), 'half')
  const store = new DirectoryCheckpointStore(new NodeFileSystem(directory))
  expect(await store.list()).toEqual([])
  await store.clearUnfinished()
  expect(await readdir(directory)).toEqual([])
})

test('who only looks takes nothing from the one that is writing', async () => {
  const [writer, looker] = [1, 2].map(() => new DirectoryCheckpointStore(new NodeFileSystem(directory)))
  async function* slowly(): AsyncGenerator<Uint8Array> {
    yield bytes('a')
    expect(await looker!.list()).toEqual([])
    yield bytes('b')
  }
  await writer!.put('c', slowly())
  expect(await looker!.list()).toEqual(['c'])
})

test('a directory keeps the order: write, sync, read back, name, sync the name', async () => {
  const calls: string[] = []
  const store = new DirectoryCheckpointStore(recorded(new NodeFileSystem(directory), calls))
  await store.put('c', [bytes('abc')])
  expect(calls.filter((call) => !call.startsWith('remove'))).toEqual([
    'create c.tmp',
    'write',
    'sync',
    'read',
    'read',
    'close',
    'rename c.tmp c',
    'syncDirectory',
  ])
})

test('a file that reads back otherwise than it was written gets no name', async () => {
  const rotten = recorded(new NodeFileSystem(directory), [], true)
  const store = new DirectoryCheckpointStore(rotten)
  await expect(store.put('c', [bytes('abc')])).rejects.toMatchObject({ code: 'CHECKPOINT_CORRUPT' })
  expect(await readdir(directory)).toEqual([])
})

/** The real file system, telling what is called. `rots`: bytes change between writing and reading. */
function recorded(real: FileSystem, calls: string[], rots = false): FileSystem {
  return {
    list: () => real.list(),
    open: (name) => real.open(name),
    async create(name, options) {
      calls.push(`create ${name}`)
      const file = await real.create(name, options)
      const told: WriteFile = {
        size: () => file.size(),
        async read(into, position) {
          calls.push('read')
          const got = await file.read(into, position)
          if (rots && got > 0) into[0]! ^= 1
          return got
        },
        async write(part, position) {
          calls.push('write')
          await file.write(part, position)
        },
        async sync() {
          calls.push('sync')
          await file.sync()
        },
        truncate: (size) => file.truncate(size),
        fillAhead: (from, to) => file.fillAhead(from, to),
        async close() {
          calls.push('close')
          await file.close()
        },
      }
      return told
    },
    async rename(from, to) {
      calls.push(`rename ${from} ${to}`)
      await real.rename(from, to)
    },
    async remove(name) {
      calls.push(`remove ${name}`)
      await real.remove(name)
    },
    async syncDirectory() {
      calls.push('syncDirectory')
      await real.syncDirectory()
    },
  }
}
