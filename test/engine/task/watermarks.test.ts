import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Watermarks } from '../../../engine/task/watermarks.ts'

describe("a task's watermark", () => {
  test('is the lowest of the channels that are not idle, and never goes back', () => {
    const step = fc.record({ channel: fc.nat(3), raise: fc.option(fc.integer({ min: -5, max: 50 })), idle: fc.option(fc.boolean()) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const watermarks = new Watermarks()
        const model = Array.from({ length: 4 }, () => ({ watermark: Number.NEGATIVE_INFINITY, idle: false }))
        for (const _ of model) watermarks.addChannel()
        let before = Number.NEGATIVE_INFINITY
        for (const { channel, raise, idle } of steps) {
          if (raise !== null) {
            watermarks.raise(channel, raise)
            model[channel]!.watermark = Math.max(model[channel]!.watermark, raise)
          }
          if (idle !== null) {
            watermarks.setIdle(channel, idle)
            model[channel]!.idle = idle
          }
          watermarks.current = watermarks.next()
          const active = model.filter((one) => !one.idle).map((one) => one.watermark)
          before = active.length === 0 ? before : Math.max(before, Math.min(...active))
          expect(watermarks.current).toBe(before)
          expect(watermarks.allIdle).toBe(active.length === 0)
        }
      }),
    )
  })
})
