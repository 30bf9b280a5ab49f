import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fieldReader, takeIn } from '../../../deploy/ingest/take-in.ts'
import { realClock } from '../../../deploy/real-clock.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'reprise-take-in-'))
})
afterEach(() => rm(folder, { recursive: true }))

const count = 60_000
const lines = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, i) => `{"n":${from + i},"pad":"${'x'.repeat(90)}"}\n`).join('')

test.each([
  ['ndjson', lines(0, count)],
  ['json', `[${lines(0, count).trim().replaceAll('\n', ',')}]`],
  ['csv', `n,pad\n${Array.from({ length: count }, (_, n) => `${n},${'x'.repeat(90)}\n`).join('')}`],
])('told to stop in the middle of a .%s file, it stops, and goes on there when it is taken in again', async (format, content) => {
  const log = new MemoryLog({ clock: realClock })
  await log.createTopic({ name: 'numbers', partitions: 1, kind: 'stream' })
  const file = path.join(folder, `numbers.${format}`)
  await writeFile(file, content)
  const stop = new AbortController()
  const shares: (number | undefined)[] = []
  const ingest = { log, topic: 'numbers', file, read: fieldReader(undefined, undefined), clock: realClock, onBad: 'fail' } as const
  const first = await takeIn({
    ...ingest,
    stop: stop.signal,
    onTaken: (_, share) => {
      shares.push(share)
      stop.abort()
    },
  })
  expect(first.added).toBeGreaterThan(0)
  expect(first.added).toBeLessThan(count)
  expect(shares[0]).toBeGreaterThan(0)
  expect(shares[0]).toBeLessThan(1)
  expect(log.bounds('numbers', 0).end).toBe(first.added)
  expect(await takeIn(ingest)).toEqual({ skipped: first.added, added: count - first.added })
})
