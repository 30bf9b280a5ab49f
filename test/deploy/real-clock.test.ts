import { getEventListeners } from 'node:events'
import { expect, test } from 'vitest'
import { realClock } from '../../deploy/real-clock.ts'

test('a sleep ends at once when its signal aborts, or has aborted before, and leaves nothing at the signal', async () => {
  const stop = new AbortController()
  const from = performance.now()
  const sleeping = realClock.sleep(3_600_000, stop.signal)
  expect(getEventListeners(stop.signal, 'abort')).toHaveLength(1)
  stop.abort()
  await sleeping
  await realClock.sleep(3_600_000, stop.signal)
  await realClock.sleep(1, new AbortController().signal)
  expect(performance.now() - from).toBeLessThan(60_000)
  expect(getEventListeners(stop.signal, 'abort')).toHaveLength(0)
})

test('a sleep takes its time, and longer ones than a timer holds do not end at once', async () => {
  const from = performance.now()
  await realClock.sleep(20)
  expect(performance.now() - from).toBeGreaterThan(18)
  const stop = new AbortController()
  let ended = false
  const long = realClock.sleep(2 ** 33, stop.signal).then(() => {
    ended = true
  })
  await realClock.sleep(20)
  expect(ended).toBe(false)
  stop.abort()
  await long
})
