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
const dir = mkdtempSync(join(tmpdir(), 'reprise-kill-'))
const job = fileURLToPath(new URL('./jobs/kill.ts', import.meta.url))
let runs = 0

afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** Small everything, so that one short run comes by every point many times. */
const small = input(
  'small',
  { keys: 40, records: 6000, everyMs: 40 },
  ['checkpointEveryMs=15', 'logFileBytes=200000', 'sliceRecordsMax=60', 'quietAfterMs=20', 'mergeBytesMin=2000'],
  '64',
)
/** More state than its budget of memory. */
const wide = input(
  'wide',
  { keys: 9000, records: 20_000, everyMs: 1 },
  ['checkpointEveryMs=15', 'sliceRecordsMax=500', 'mergeBytesMin=20000'],
  '1',
)

test('an undisturbed run gives what the oracle says', async () => {
  const data = freshDirectory()
  await runToEnd(small, data)
  await expectExactlyOnce(small, data)
})

describe('killed by SIGKILL at a random time', () => {
  const rounds = full ? 100 : 20
  test(`${rounds} kills, output exactly once each time a run comes to its end`, { timeout: rounds * 30_000 }, async () => {
    const random = new Random(seed)
    let data = freshDirectory()
    let kills = 0
    while (kills < rounds) {
      const run = start(small.args(data))
      const timer = setTimeout(() => run.kill('SIGKILL'), 200 + random.int(900))
      const { signal, code, stderr } = await run.ended
      clearTimeout(timer)
      if (signal === 'SIGKILL') {
        kills++
        // Not for ever the same directory: sooner or later it would be done.
        if (!random.chance(0.2) && kills < rounds) continue
      } else expect(code, stderr).toBe(0)
      await runToEnd(small, data)
      await expectExactlyOnce(small, data)
      data = freshDirectory()
    }
  })
})

describe('killed at each named point', () => {
  const times = full ? [1, 2, 3, 5, 8] : [1]
  for (const point of [...runtimeProbePoints, ...logProbePoints, ...stateProbePoints]) {
    // These come when the disk is full: test/engine/log/embedded has them.
    if (point.startsWith('log.full.')) continue
    for (const n of times) {
      test.concurrent(`${point}, time ${n}, and once more in what follows`, { timeout: 180_000 }, async () => {
        const from = spilled.has(point) ? wide : small
        const data = freshDirectory()
        // To be restored, there must be a checkpoint and work left.
        const first = await start(from.args(data), {
          env: { REPRISE_FAIL_AT: /^re(store|cover)/.test(point) ? 'commit.acknowledged:25' : `${point}:${n}` },
        }).ended
        if (first.signal !== 'SIGKILL') expect(first.code, first.stderr).toBe(0)
        // The recovery comes by many of the same points: a crash in the recovery of a crash.
        const second = await start(from.args(data), { env: { REPRISE_FAIL_AT: `${point}:${/^re(store|cover)/.test(point) ? n : 1}` } })
          .ended
        if (second.signal !== 'SIGKILL') expect(second.code, second.stderr).toBe(0)
        if (n === 1 && !byChance.has(point)) expect([first.signal, second.signal], 'the point was reached').toContain('SIGKILL')
        await runToEnd(from, data)
        await expectExactlyOnce(from, data)
      })
    }
  }
})

/** Points of state that does not fit into memory. */
const spilled = new Set<string>(['restore.rebuilt', 'checkpoint.applying', 'checkpoint.applied'])
/** Points that need a crash of their own before them, which may or may not have been right. */
const byChance = new Set<string>(['restore.rebuilt'])

interface Input {
  readonly events: readonly KillEvent[]
  readonly bad: number
  args(data: string): string[]
}

function input(name: string, size: Parameters<typeof makeEvents>[1], settings: readonly string[], memory: string): Input {
  const { ndjson, events, bad } = makeEvents(seed, size)
  const file = join(dir, `${name}.ndjson`)
  writeFileSync(file, ndjson)
  const set = settings.flatMap((pair) => ['--set', pair])
  return {
    events,
    bad,
    args: (data) => [
      'run',
      job,
      '--data',
      data,
      '--ingest',
      `events=${file}`,
      '--partitions',
      `events=${partitions}`,
      '--memory',
      memory,
      '--complete',
      '--json',
      ...set,
    ],
  }
}

function freshDirectory(): string {
  return join(dir, `run-${runs++}`)
}

async function runToEnd(from: Input, data: string): Promise<void> {
  const { code, stderr, stdout } = await reprise(from.args(data))
  expect(code, stderr).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ in: from.events.length + from.bad, processed: from.events.length, deadLettered: from.bad })
}

async function expectExactlyOnce(from: Input, data: string): Promise<void> {
  const taken = await topicRows(data, 'events')
  expect(taken).toHaveLength(from.events.length + from.bad)
  const byPartition: KillEvent[][] = Array.from({ length: partitions }, () => [])
  for (const { partition, value } of taken) if (typeof value.value === 'number') byPartition[partition]!.push(value as unknown as KillEvent)
  const expected = expectedOf(byPartition)
  for (const topic of ['totals', 'moving', 'visits'] as const) {
    expect(canonical((await topicRows(data, topic)).map(({ value }) => value)), topic).toEqual(expected[topic])
  }
  expect(await topicRows(data, 'kill.dead-letters')).toHaveLength(from.bad)
  rmSync(data, { recursive: true, force: true })
}

async function topicRows(
  data: string,
  topic: string,
): Promise<{ partition: number; key: string | null; value: Record<string, unknown> }[]> {
  const { stdout, stderr, code } = await reprise(['log', 'tail', topic, '--data', data, '-o', 'beginning', '--json'])
  expect(code, stderr).toBe(0)
  return stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))
}
