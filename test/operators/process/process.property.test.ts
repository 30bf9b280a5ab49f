import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import type { OperatorFactory } from '../../../engine/task/operator.ts'
import { defineJob, map, output, topic, value } from '../../../index.ts'
import { runsOf } from '../../support/lane.ts'
import { byKey, OperatorRun, runSlices } from '../../support/operator-run.ts'
import { expectProcess, rules } from '../../support/process-oracle.ts'
import { Random } from '../../support/random.ts'
import { interleave, type LogRecord, randomPartitions } from '../../support/window-run.ts'

const numRuns = process.env.REPRISE_FULL === '1' ? 5000 : Number(process.env.REPRISE_RUNS ?? runsOf(80))

/** Counts records, remembers ids for a time, sets timers in the future and the past, takes some away; timers set timers. */
function example(allowedLateness: number): OperatorFactory {
  const records = topic('records', { value: z.object({ id: z.number(), key: z.union([z.string(), z.number()]), time: z.number() }) })
  const results = topic('results', { value: z.string() })
  const job = defineJob('example', (job) => {
    job
      .from(records)
      .keyBy('by-key', ({ key }) => key)
      .process('example', {
        state: { count: value<{ n: number }>(), seen: map<number, number>({ ttl: rules.ttl }) },
        output: output<string>(),
        allowedLateness,
        onRecord(context, { id }) {
          const { count, seen } = context.state
          count.put({ n: (count.get()?.n ?? 0) + 1 })
          context.emit(`record ${id}: ${count.get()!.n} of ${seen.keys()}`)
          seen.put(id % 5, id)
          for (const { at, name } of rules.timersOf(id, context.time)) context.setTimer(at, { name, payload: 0 })
          const deleted = rules.deletedBy(id, context.time)
          if (deleted !== undefined) context.deleteTimer(deleted.at, deleted.name)
        },
        onTimer(context, timer) {
          const depth = timer.payload as number
          context.emit(`timer ${timer.name} ${depth}: ${context.state.count.get()?.n} of ${context.state.seen.keys()}`)
          const next = rules.next(timer.at, depth)
          if (next !== undefined) context.setTimer(next, { name: 'chain', payload: depth + 1 })
        },
      })
      .to(results)
  })
  const node = job.nodes.find(({ name }) => name === 'example')
  if (node?.kind !== 'operator') throw new Error('no process')
  return node.make
}

interface Judged extends LogRecord {
  readonly partition: number
  readonly offset: number
  readonly stamp: number
}

describe.each([0, 3, 11])('a process ordered by event time, allowed lateness %d', (lateness) => {
  const make = example(lateness)
  const check = (seed: number, idleChance: number, budget: boolean, crashes: boolean) => {
    const random = new Random(seed)
    const partitions = randomPartitions(random)
    const slices = interleave(partitions, random, idleChance)
    const run = new OperatorRun(make, 'example')
    const last = runSlices(run, partitions, slices, {
      ...(budget ? { budget: () => random.int(4) } : {}),
      ...(crashes ? { crash: () => random.chance(0.3) } : {}),
    })
    expect(run.bad).toEqual([])
    const fates = run.late.map(({ value, reason }) => ({ ...(value as LogRecord & { fired: number; stamp: number }), reason }))
    for (const { time, stamp, fired, reason } of fates)
      expect(reason).toBe(time + lateness < stamp ? 'late' : fired > time + lateness ? 'idle' : 'wrong')
    const all: Judged[] = partitions.flatMap(({ records, outOfOrderness }, partition) => {
      let highest = Number.NEGATIVE_INFINITY
      return records.map((record, offset) => {
        const stamp = highest - outOfOrderness
        highest = Math.max(highest, record.time)
        return { ...record, partition, offset, stamp }
      })
    })
    const idle = new Set(fates.filter(({ reason }) => reason === 'idle').map(({ id }) => id))
    if (idleChance === 0) expect(idle.size).toBe(0)
    const taken = all.filter(({ id, time, stamp }) => time + lateness >= stamp && !idle.has(id))
    expect(run.late.length).toBe(all.length - taken.length)
    const got = [...byKey(run.passed)].flatMap(([key, list]) =>
      list.map(({ eventTime, value }) => ({ key, at: eventTime, what: value as string })),
    )
    expect(got).toEqual(expectProcess(taken, last - lateness))
    for (const { stamp, eventTime } of run.passed) expect(stamp).toBe(eventTime + lateness)
    // Each call of a function emits one result here, so the bound is kept to the last one.
    expect(run.overdrawn).toBe(0)
    // What has expired is gone, and nothing waits any more.
    expect(run.stores.names()).toEqual(taken.length === 0 ? [] : ['example.state.count'])
  }
  const seeds = (idleChance: number, budget: boolean, crashes: boolean) =>
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => check(seed, idleChance, budget, crashes)),
      { numRuns },
    )

  test('gives for every interleaving what its records alone say', () => seeds(0, false, false))
  test('gives the same in small portions', () => seeds(0, true, false))
  test('gives the same when it starts over from its stores at any point', () => seeds(0, true, true))
  test('diverts what comes after its time because a partition was idle, and loses nothing', () => seeds(0.3, true, true))
})

test('results come in the order of time, whatever the key', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 31 }), (seed) => {
      const random = new Random(seed)
      const partitions = randomPartitions(random)
      const run = new OperatorRun(example(0), 'example')
      runSlices(run, partitions, interleave(partitions, random))
      const times = run.passed.map(({ eventTime }) => eventTime)
      expect(times).toEqual([...times].sort((a, b) => a - b))
    }),
    { numRuns },
  )
})
