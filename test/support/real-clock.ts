import type { Clock } from '../../engine/ports/world.ts'

/** The machine's clock, for tests that use the real disk. */
export const realClock: Clock = {
  now: Date.now,
  monotonic: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const timer = setTimeout(done, ms)
      function done() {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      signal?.addEventListener('abort', done, { once: true })
    }),
  yield: () => new Promise((resolve) => setImmediate(resolve)),
}
