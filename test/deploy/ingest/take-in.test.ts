import { execFileSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { fieldReader, takeIn } from '../../../deploy/ingest/take-in.ts'
import { realClock } from '../../../deploy/real-clock.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'
import { readRecords } from '../../../engine/log/read-records.ts'
import { SimClock } from '../../support/sim-clock.ts'

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

const broken = `${lines(0, 50_000)}{"n":\n${lines(50_000, count)}`

test.each([
  ['numbers.ndjson', 'fail', broken, lines(0, count)],
  ['numbers.json', 'skip', `[${lines(0, count).trim().replaceAll('\n', ',')}`, `[${lines(0, count).trim().replaceAll('\n', ',')}]`],
])(
  'a file that fails in the middle is not taken in at all (%s, on bad: %s), so that the mended one is taken in once',
  async (name, policy, bad, mended) => {
    const log = new MemoryLog({ clock: realClock })
    await log.createTopic({ name: 'numbers', partitions: 1, kind: 'stream' })
    const file = path.join(folder, name)
    const told: unknown[] = []
    const onBad = policy === 'fail' ? 'fail' : (error: unknown) => void told.push(error)
    const ingest = { log, topic: 'numbers', file, read: fieldReader(undefined, undefined), clock: realClock, onBad } as const
    await writeFile(file, bad)
    await expect(takeIn(ingest)).rejects.toThrow(/RECORD_MALFORMED.*line/)
    expect(log.bounds('numbers', 0).end).toBe(0)
    await writeFile(file, mended)
    expect(await takeIn(ingest)).toEqual({ skipped: 0, added: count })
    expect(told).toEqual([])
  },
)

test('what can be read only once is taken in up to the record that fails; the error says how far, and the rest is taken in behind it', async () => {
  const log = new MemoryLog({ clock: realClock })
  await log.createTopic({ name: 'numbers', partitions: 1, kind: 'stream' })
  const file = path.join(folder, 'pipe.ndjson')
  execFileSync('mkfifo', [file])
  const ingest = {
    log,
    topic: 'numbers',
    file,
    sourceId: 'pipe',
    read: fieldReader('n', undefined),
    clock: realClock,
    onBad: 'fail',
  } as const
  const sent = (text: string) => Promise.allSettled([takeIn(ingest), writeFile(file, text)])
  const [failed] = await sent(broken)
  const taken = log.bounds('numbers', 0).end
  expect(taken).toBeGreaterThan(0)
  expect(failed).toMatchObject({
    reason: { code: 'RECORD_MALFORMED', details: { line: 50_001, taken }, fix: expect.stringContaining('under the same --source-id') },
  })
  const [again] = await sent(lines(0, count))
  expect(again).toEqual({ status: 'fulfilled', value: { skipped: taken, added: count - taken } })
})

test('a record without the field that was named fails with a way out', async () => {
  const log = new MemoryLog({ clock: realClock })
  await log.createTopic({ name: 'numbers', partitions: 1, kind: 'stream' })
  const file = path.join(folder, 'numbers.ndjson')
  await writeFile(file, lines(0, 1))
  for (const read of [fieldReader('id', undefined), fieldReader(undefined, 'at')])
    await expect(takeIn({ log, topic: 'numbers', file, read, clock: realClock, onBad: 'fail' })).rejects.toMatchObject({
      code: expect.stringMatching(/KEY_INVALID|EVENT_TIME_INVALID/),
      fix: expect.stringContaining('--on-bad skip'),
    })
})

test('records without a time have one of the log: a wall clock that was set forward does not put them into the future', async () => {
  const log = new MemoryLog({ clock: new SimClock() })
  await log.createTopic({ name: 'numbers', partitions: 1, kind: 'stream' })
  const file = path.join(folder, 'numbers.ndjson')
  await writeFile(file, lines(0, 2))
  await takeIn({ log, topic: 'numbers', file, read: fieldReader(undefined, undefined), clock: realClock, onBad: 'fail' })
  const ahead: number[] = []
  for await (const { eventTime, appendTime } of readRecords(log, 'numbers', 0, 0)) ahead.push(eventTime - appendTime)
  expect(ahead).toEqual([0, 0])
})
