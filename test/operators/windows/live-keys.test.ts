import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareKeys, type Key } from '../../../engine/model/record.ts'
import { type KeyRun, LiveKeys } from '../../../operators/windows/live-keys.ts'

const key: fc.Arbitrary<Key> = fc.oneof(fc.nat(20), fc.constantFrom('a', 'b', 'ab', '10'))
const step = fc.oneof(
  fc.record({ do: fc.constant('add' as const), key }),
  fc.record({ do: fc.constant('drop' as const), key }),
  fc.record({ do: fc.constant('settle' as const), key }),
)

test('the live keys are those added and not dropped since, in canonical order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), key, (steps, sought) => {
      const live = new LiveKeys<KeyRun>()
      const runs = new Map<Key, KeyRun>()
      const model = new Set<Key>()
      const runOf = (at: Key) => {
        const run = runs.get(at) ?? { key: at, panes: 0, live: false, placed: false, total: { n: 1 } }
        runs.set(at, run)
        return run
      }
      for (const each of steps) {
        if (each.do === 'settle') live.settle()
        else if (each.do === 'add') {
          live.add(runOf(each.key))
          model.add(each.key)
        } else {
          live.drop(runOf(each.key))
          model.delete(each.key)
        }
        expect(live.empty).toBe(model.size === 0)
      }
      live.settle()
      const keys = [...model].sort(compareKeys)
      expect(live.runs.filter((run) => run.live).map((run) => run.key)).toEqual(keys)
      expect(live.runs.length).toBeLessThanOrEqual(keys.length + (live.runs.length >> 2) + 1)
      expect(live.keys).toEqual(live.runs.map((run) => run.key))
      expect(live.totals).toEqual(live.runs.map((run) => run.total))
      expect(live.totals.every((total, i) => total === live.runs[i]!.total)).toBe(true)
      const behind = live.runs.slice(live.placeAfter(sought)).filter((run) => run.live)
      expect(behind.map((run) => run.key)).toEqual(keys.filter((at) => compareKeys(at, sought) > 0))
    }),
    { numRuns: 3000 },
  )
})
