import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { logProbePoints } from '../../engine/log/embedded/probe-points.ts'
import { runtimeProbePoints } from '../../engine/runtime/probe-points.ts'
import { canonical } from '../../examples/reference.ts'
import { stateProbePoints } from '../../state/probe-points.ts'
import { Random } from '../support/random.ts'
import { reprise, start } from './command-line.ts'
import { expectedOf, type KillEvent, makeEvents, partitions } from './kill-events.ts'

const full = process.env.REPRISE_FULL === '1'
const seed = Number(process.env.KILL_SEED ?? 1)
const records = 6000
const dir = mkdtempSync(join(tmpdir(), 'reprise-kill-'))
const job = fileURLToPath(new URL('./jobs/kill.ts', import.meta.url))
const { ndjson, events, bad } = makeEvents(seed, records)
const file = join(dir, 'events.ndjson')
writeFileSync(file, ndjson)
let runs = 0

afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** Small everything, so that one short run comes by every point many times. */
const settings = ['checkpointEveryMs=15', 'logFileBytes=200000', 'sliceRecordsMax=60', 'quietAfterMs=20'].flatMap((pair) => ['--set', pair])
const args = (data: string) => ['run', job, '--data', data, '--ingest', `events=${file}`, '--partitions', `events=${partitions}`, '--complete', '--json', ...settings]

const freshDirectory = () => join(dir, `run-${runs++}`)

async function topicRows(data: string, topic: string): Promise<{ partition: number; key: string | null; value: Record<string, unknown> }[]> {
  const { stdout, stderr, code } = await reprise(['log', 'tail', topic, '--data', data, '-o', 'beginning', '--json'])
  expect(code, stderr).toBe(0)
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))
}

async function expectExactlyOnce(data: string): Promise<void> {
  const taken = await topicRows(data, 'events')
  expect(taken).toHaveLength(events.length + bad)
  const byPartition: KillEvent[][] = Array.from({ length: partitions }, () => [])
  for (const { partition, value } of taken) if (typeof value.value === 'number') byPartition[partition]!.push(value as unknown as KillEvent)
  const expected = expectedOf(byPartition)
  for (const topic of ['totals', 'moving', 'visits'] as const) {
    expect(canonical((await topicRows(data, topic)).map(({ value }) => value)), topic).toEqual(expected[topic])
  }
  expect(await topicRows(data, 'kill.dead-letters')).toHaveLength(bad)
  rmSync(data, { recursive: true, force: true })
}

async function runToEnd(data: string): Promise<void> {
  const { code, stderr, stdout } = await reprise(args(data))
  expect(code, stderr).toBe(0)
  const summary = JSON.parse(stdout) as { in: number; processed: number; deadLettered: number }
  expect(summary).toMatchObject({ in: events.length + bad, processed: events.length, deadLettered: bad })
}

test('an undisturbed run gives what the oracle says', async () => {
  const data = freshDirectory()
  await runToEnd(data)
  await expectExactlyOnce(data)
})

describe('killed by SIGKILL at a random time', () => {
  const rounds = full ? 100 : 20
  test(`${rounds} kills in a row of lives, output exactly once each time a run comes to its end`, { timeout: rounds * 20_000 }, async () => {
    const random = new Random(seed)
    let data = freshDirectory()
    let kills = 0
    while (kills < rounds) {
      const run = start(args(data))
      const timer = setTimeout(() => run.kill('SIGKILL'), 300 + random.int(900))
      const { signal, code, stderr } = await run.ended
      clearTimeout(timer)
      if (signal === 'SIGKILL') {
        kills++
        // Not for ever the same directory: sooner or later it would be done.
        if (!random.chance(0.3)) continue
      } else expect(code, stderr).toBe(0)
      await runToEnd(data)
      await expectExactlyOnce(data)
      data = freshDirectory()
    }
  })
})

describe('killed at each named point', () => {
  const points = [...runtimeProbePoints, ...logProbePoints, ...stateProbePoints]
  const times = full ? [1, 2, 3, 5, 8] : [1]
  for (const point of points) {
    for (const n of times) {
      test(`${point}, time ${n}, then again in the recovery`, async () => {
        const data = freshDirectory()
        const first = await start(args(data), { env: { REPRISE_FAIL_AT: `${point}:${n}` } }).ended
        if (first.signal !== 'SIGKILL') expect(first.code, first.stderr).toBe(0)
        // The recovery comes by the same points: a crash in the recovery of a crash.
        const second = await start(args(data), { env: { REPRISE_FAIL_AT: `${point}:1` } }).ended
        if (second.signal !== 'SIGKILL') expect(second.code, second.stderr).toBe(0)
        expect(first.signal === 'SIGKILL' || second.signal === 'SIGKILL' || rarelyReached.has(point), 'the point was reached').toBe(true)
        await runToEnd(data)
        await expectExactlyOnce(data)
      })
    }
  }
})

/** Points that a run like this comes by only by chance. */
const rarelyReached = new Set<string>([])
