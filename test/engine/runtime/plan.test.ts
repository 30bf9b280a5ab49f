import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { codeOf } from '../../../engine/errors.ts'
import { planJob } from '../../../engine/runtime/plan.ts'
import { count, defineJob, topic, tumbling } from '../../../index.ts'

const clicks = topic('clicks', { value: z.object({ user: z.string() }) })
const views = topic('views', { value: z.object({ user: z.string() }) })
const rows = topic('rows', { value: z.object({ n: z.number() }) })

const twoStages = defineJob('clicks-by-user', (job) =>
  job
    .from(clicks)
    .merge(job.from(views))
    .keyBy('by-user', ({ user }) => user)
    .window('minutes', tumbling('1m'))
    .aggregate({ n: count() })
    .to(rows),
)

describe('a plan', () => {
  test('has one stage and no exchange when there is one task', () => {
    const plan = planJob(twoStages, 1, 1, () => 3)
    expect(plan.stages).toHaveLength(1)
    expect(plan.exchanges).toEqual([])
    expect(plan.tasks).toHaveLength(1)
    expect(inputsOf(plan, 0)).toEqual([
      'source clicks/0',
      'source clicks/1',
      'source clicks/2',
      'source views/0',
      'source views/1',
      'source views/2',
      'retry clicks-by-user.v1.retry/0',
    ])
  })

  test('cuts at a keyBy and deals every partition of every source to exactly one task', () => {
    const plan = planJob(twoStages, 2, 3, (name) => (name === 'clicks' ? 5 : 2))
    expect(plan.stages.map(({ reads, writes }) => [reads.length, writes.length])).toEqual([
      [0, 1],
      [1, 0],
    ])
    expect(plan.tasks).toHaveLength(6)
    expect([0, 1, 2].map((task) => inputsOf(plan, task))).toEqual([
      ['source clicks/0', 'source clicks/3', 'source views/0', 'retry clicks-by-user.v2.retry/0'],
      ['source clicks/1', 'source clicks/4', 'source views/1'],
      ['source clicks/2'],
    ])
    expect([3, 4, 5].map((task) => inputsOf(plan, task))).toEqual(
      [0, 1, 2].map((partition) => [`exchange clicks-by-user.v2.exchange.by-user/${partition}`]),
    )
    const [exchange] = plan.tasks[4]!.inputs
    expect(exchange).toMatchObject({ upstreamTasks: [0, 1, 2] })
  })

  test('begins where it is told, in the partitions that are named', () => {
    const plan = planJob(twoStages, 1, 1, () => 2, { 'clicks/1': 7, 'views/0': 3, 'gone/0': 1 })
    const from = plan.tasks[0]!.inputs.flatMap((input) => (input.kind === 'source' ? [[input.topic, input.partition, input.from]] : []))
    expect(from).toEqual([
      ['clicks', 0, 0],
      ['clicks', 1, 7],
      ['views', 0, 3],
      ['views', 1, 0],
    ])
  })

  test('reads one exchange in one stage, however many readers it has', () => {
    const job = defineJob('two-windows', (builder) => {
      const keyed = builder.from(clicks).keyBy('by-user', ({ user }) => user)
      keyed.window('minutes', tumbling('1m')).aggregate({ n: count() }).to(rows)
      keyed.window('hours', tumbling('1h')).aggregate({ n: count() }).to(rows)
    })
    const plan = planJob(job, 1, 2, () => 1)
    expect(plan.stages).toHaveLength(2)
    expect(plan.exchanges).toHaveLength(1)
  })

  test('refuses a stage that would feed itself', () => {
    const job = defineJob('loop', (builder) => {
      const source = builder.from(clicks)
      source
        .keyBy('by-user', ({ user }) => user)
        .merge(source)
        .map(({ user }) => ({ n: user.length }))
        .to(rows)
    })
    let thrown: unknown
    try {
      planJob(job, 1, 2, () => 1)
    } catch (error) {
      thrown = error
    }
    expect(codeOf(thrown)).toBe('JOB_INVALID')
    expect(planJob(job, 1, 1, () => 1).stages).toHaveLength(1)
  })
})

function inputsOf(plan: ReturnType<typeof planJob>, task: number): string[] {
  return plan.tasks[task]!.inputs.map(({ kind, topic, partition }) => `${kind} ${topic}/${partition}`)
}
