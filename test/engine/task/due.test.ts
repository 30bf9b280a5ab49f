import { expect, test } from 'vitest'
import { z } from 'zod'
import { planJob } from '../../../engine/runtime/plan.ts'
import { noPresent } from '../../../engine/task/present.ts'
import { Task } from '../../../engine/task/task.ts'
import { count, defineJob, sum, topic, tumbling } from '../../../index.ts'
import { SimClock } from '../../support/sim-clock.ts'
import { stateInMemory } from '../../support/task-state.ts'
import { chunkOf, placedBlock } from './blocks.ts'

const words = topic('words', { codec: 'json' })
const counts = topic('counts', { value: z.number() })

/** Two windows by the clock, one behind the other; the second gives early results at multiples of 15. */
const job = defineJob('counts', (builder) =>
  builder
    .from(words)
    .keyBy('by-word', String)
    .window('tens', tumbling(10, { time: 'processing' }))
    .aggregate({ n: count() })
    .map(({ n }, { key }) => ({ key, n }))
    .keyBy('again', ({ key }) => key)
    .window('all', tumbling(1000, { time: 'processing', early: 15 }))
    .aggregate({ n: sum(({ n }) => n) })
    .map(({ n }) => n)
    .to(counts),
)

test('while results are due, time stands still: nothing of it comes to operators that have not given all yet', () => {
  const plan = planJob(job, 1, 1, () => 1)
  const settings = { outputsMax: 1, node: '', strict: true }
  const state = stateInMemory('counts', new SimClock())
  const task = new Task(plan, plan.tasks[0]!, { state, present: noPresent(), settings, partitionsOf: () => 1 })
  task.open(null)
  const record = (word: string) => ({ key: null, value: Buffer.from(JSON.stringify(word)), eventTime: 0 })
  const first = placedBlock([record('a'), record('b')], 0, 5)
  task.feeds[0]!.buffer.push(chunkOf([first, placedBlock([record('c')], 2, 12)]))
  const run = (processing: number, from = 0, to = 0) =>
    task.run({ seq: task.seq + 1, ranges: to > from ? [{ input: 0, from, to }] : [], processing, idle: [] }).journal
  run(5, 0, 2)
  run(12, 2, 3)
  expect(run(15)).toMatchObject({ output: { count: 1 }, due: true })
  // The window of c is over by now. Its result is given with the next early ones.
  expect(run(20)).toMatchObject({ output: { count: 1 }, due: false })
  run(21)
  expect(run(30)).toMatchObject({ output: { count: 1 } })
})
