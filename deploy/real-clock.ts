import type { Clock } from '../engine/ports/world.ts'

/** Node's timers can't hold more than this; who sleeps so long looks again. */
const sleepMsMax = 2 ** 31 - 1

/** The machine's clock. */
export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  // Not by timers/promises: those make an error, with its stack, of each sleep that is cut short, and most are.
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, Math.min(ms, sleepMsMax))
      signal?.addEventListener('abort', done, { once: true })
    }),
  yield: () => new Promise((resolve) => setImmediate(resolve)),
}
