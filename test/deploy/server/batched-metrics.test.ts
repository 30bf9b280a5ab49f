import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PrometheusMetrics } from '../../../deploy/observability/metrics.ts'
import { applyBatch, BatchedMetrics } from '../../../deploy/server/batched-metrics.ts'
import type { Labels, Metrics } from '../../../engine/ports/world.ts'

const about = { help: 'of a test', labels: ['job', 'topic'] }
const table = {
  grows: { type: 'counter', ...about },
  shows: { type: 'gauge', ...about },
  spreads: { type: 'histogram', ...about },
} as const
const labels: fc.Arbitrary<Labels> = fc.record({ job: fc.constantFrom('a', 'ab'), topic: fc.constantFrom('b', '') })
const call = fc.tuple(fc.constantFrom('add', 'set', 'observe'), labels, fc.nat(20))
const names = { add: 'grows', set: 'shows', observe: 'spreads' }

test('metrics in batches come to what they are one by one', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(call, { maxLength: 8 }), { maxLength: 4 }), async (batches) => {
      const direct = new PrometheusMetrics(table)
      const behind = new PrometheusMetrics(table)
      const batched = new BatchedMetrics()
      for (const calls of batches) {
        for (const one of calls) for (const metrics of [direct, batched]) make(metrics, one)
        applyBatch(behind, structuredClone(batched.take()))
      }
      expect(sorted(await behind.text())).toEqual(sorted(await direct.text()))
      expect(batched.take()).toEqual([])
    }),
  )
})

test('a batch has one entry a series, however often it was told', () => {
  const batched = new BatchedMetrics()
  for (let i = 0; i < 100; i++) {
    batched.add('grows', { job: 'a' }, 1)
    batched.set('shows', { job: 'a' }, i)
    batched.observe('spreads', { job: 'a' }, i)
  }
  expect(batched.take()).toMatchObject([{ value: 100 }, { value: 99 }, { values: { length: 100 } }])
})

function make(metrics: Metrics, [kind, of, value]: readonly ['add' | 'set' | 'observe', Labels, number]): void {
  metrics[kind](names[kind], of, value)
}

/** Series stand in the order in which they were first seen. */
function sorted(text: string): string[] {
  return text.split('\n').sort()
}
