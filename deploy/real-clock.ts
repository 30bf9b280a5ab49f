import { setTimeout as after } from 'node:timers/promises'
import type { Clock } from '../engine/ports/world.ts'

/** The machine's clock. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  async sleep(ms, signal) {
    try {
      // Node's timers can't hold more than this; who sleeps so long looks again.
      await after(Math.min(ms, 2 ** 31 - 1), undefined, signal === undefined ? undefined : { signal })
    } catch {
      // Aborted: the port promises not to reject.
    }
  },
  yield: () => new Promise((resolve) => setImmediate(resolve)),
}
