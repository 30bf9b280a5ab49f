import { expect, test } from 'vitest'
import { noMetrics, silentLogger } from '../../../engine/ports/world.ts'
import { count } from '../../../operators/aggregates/count.ts'
import { max } from '../../../operators/aggregates/extremes.ts'
import { sum } from '../../../operators/aggregates/sum.ts'
import { describeWindow, session, sliding, tumbling, type WindowSpec } from '../../../operators/windows/spec.ts'
import { windowOperator } from '../../../operators/windows/window-operator.ts'
import { MemoryCheckpointStore } from '../../../state/memory-checkpoint-store.ts'
import { openTaskState } from '../../../state/task-state.ts'
import { Random } from '../../support/random.ts'
import { realClock } from '../../support/real-clock.ts'
import { interleave, type LogRecord, type RunOptions, randomPartitions, runSteps, runWindows } from '../../support/window-run.ts'

const specs: readonly WindowSpec[] = [
  tumbling(10),
  tumbling(10, { allowedLateness: 7 }),
  sliding(12, 2),
  sliding(10, 4, { allowedLateness: 6 }),
  session(6, { allowedLateness: 4 }),
  tumbling(10, { early: 3 }),
  sliding(10, 4, { early: 1, allowedLateness: 6 }),
  session(6, { early: 4 }),
]
const aggregators = [
  { n: count(), sum: sum((record: LogRecord) => record.value) },
  { n: count(), highest: max((record: LogRecord) => record.value) },
] as const

for (const spec of specs) {
  test(`${describeWindow(spec)}: goes on from real checkpoints as if nothing had happened`, async () => {
    for (let seed = 1; seed <= 12; seed++) {
      const random = new Random(seed)
      const partitions = randomPartitions(random)
      const slices = interleave(partitions, random, 0.1)
      const make = windowOperator<LogRecord, Record<string, number>>(spec, aggregators[seed % 2]!)
      const options: RunOptions = { budget: () => random.int(4), crash: () => random.chance(0.3) }
      const expected = runWindows(make, partitions, slices)
      const checkpoints = new MemoryCheckpointStore()
      const open = () =>
        openTaskState({
          task: { job: 'j', version: 1, task: 0, fingerprint: 'f', semantics: 1 },
          checkpoints,
          spill: null,
          settings: { memoryBytesMax: 1e9 },
          clock: realClock,
          logger: silentLogger,
          metrics: noMetrics,
          probe: { at() {} },
        })
      let state = open()
      await state.restore(() => true)
      const steps = runSteps(make, partitions, slices, { ...options, stores: state })
      for (let seq = 1; ; seq++) {
        const step = steps.next(state)
        if (step.done === true) {
          expect(step.value.emitted, `seed ${seed}`).toEqual(expected.emitted)
          expect(step.value.late).toEqual(expected.late)
          break
        }
        state.cut({ seq, hash: String(seq), cursor: step.value })
        state.acknowledged(seq)
        await state.settled()
        await state.close()
        state = open()
        expect((await state.restore(() => true))?.cursor).toEqual(step.value)
      }
      await state.close()
    }
  })
}
