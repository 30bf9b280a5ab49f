import { expect, test } from 'vitest'
import { MemoryWatch, type WatchedThread } from '../../../deploy/server/memory-watch.ts'
import { ManualClock } from '../../../deploy/testing/manual-clock.ts'

const mib = 2 ** 20

function watched(...bytesMax: number[]) {
  const clock = new ManualClock(1_000_000)
  const process = { resident: 500 * mib, own: 50 * mib }
  const watch = new MemoryWatch({ clock, residentBytes: () => process.resident, ownBytes: () => process.own })
  const ended: string[] = []
  const threads = bytesMax.map(
    (max, i): WatchedThread => ({
      bytesMax: max,
      endAtOnce: ({ code, message }) => void ended.push(`${i}: ${code}: ${message}`),
    }),
  )
  for (const thread of threads) {
    watch.begun(thread)
    watch.heard(thread, 20 * mib)
  }
  const look = (afterMs: number) => {
    clock.advance(afterMs)
    watch.look()
  }
  return { watch, process, threads, ended, look }
}

test('a thread that is silent while the process outgrows what it may have is ended, once, with the reason', () => {
  const { process, ended, look } = watched(200 * mib)
  process.resident += 300 * mib
  look(400)
  // It may still answer.
  expect(ended).toEqual([])
  look(200)
  look(100)
  expect(ended).toEqual([
    '0: VERSION_OUT_OF_MEMORY: the process grew by 300 MiB while its code did not come back for 0.6 s; 276 are allowed',
  ])
})

test('what it may have itself, and what it had already, is no reason', () => {
  const { watch, process, threads, ended, look } = watched(200 * mib)
  process.resident += 270 * mib
  look(2000)
  watch.heard(threads[0]!, 190 * mib)
  process.resident += 100 * mib
  look(2000)
  expect(ended).toEqual([])
  process.resident += 10 * mib
  look(100)
  expect(ended).toHaveLength(1)
})

test('growth of threads that answer, and of the server itself, is not that of one that is silent', () => {
  const { watch, process, threads, ended, look } = watched(200 * mib, 1000 * mib)
  process.resident += 900 * mib
  process.own += 100 * mib
  look(1900)
  watch.heard(threads[1]!, 720 * mib)
  look(100)
  expect(ended).toEqual([])
  // One that shrank leaves no room to the others.
  process.own = 0
  process.resident += 200 * mib
  look(100)
  expect(ended).toHaveLength(1)
})

test('several that are silent may have what they may have together; above that the likeliest goes, and it is looked again', () => {
  const { watch, process, threads, ended, look } = watched(200 * mib, 200 * mib)
  look(300)
  watch.heard(threads[1]!, 20 * mib)
  process.resident += 500 * mib
  look(1000)
  expect(ended).toEqual([])
  process.resident += 100 * mib
  look(100)
  // It is still there.
  look(100)
  // The other one is silent longer, and the process did not grow before this one was.
  expect(ended).toEqual([expect.stringMatching(/^1: .* grew by 600 MiB .* for 1\.1 s, nor that of 1 more; 552 are allowed$/)])
  watch.ended(threads[1]!)
  process.resident -= 600 * mib
  look(100)
  expect(ended).toHaveLength(1)
})

test('one that makes the process grow before others are silent goes before them; where it was not that one, another goes', () => {
  const { watch, process, threads, ended, look } = watched(200 * mib, 200 * mib)
  process.resident += 500 * mib
  look(300)
  watch.heard(threads[1]!, 20 * mib)
  process.resident += 100 * mib
  look(1000)
  expect(ended).toEqual([expect.stringMatching(/^0: .* grew by 600 MiB .* for 1\.3 s, nor that of 1 more; 552 are allowed$/)])
  watch.ended(threads[0]!)
  look(100)
  expect(ended).toHaveLength(1)
  process.resident += 200 * mib
  look(100)
  expect(ended[1]).toMatch(/^1: .* grew by 300 MiB .* for 1\.2 s; 276 are allowed$/)
  watch.ended(threads[1]!)
  look(100)
  expect(ended).toHaveLength(2)
})
