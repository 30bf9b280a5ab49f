import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { RunProgress } from '../../../deploy/cli/run-progress.ts'
import type { Terminal } from '../../../deploy/cli/terminal.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
afterEach(() => void vi.useRealTimers())

test('where a person looks: a bar with share, rate and time left, drawn over itself and gone at the end', () => {
  const { progress, written } = setUp({ live: true })
  progress.taken('numbers', 500, 0.25)
  expect(written(), 'nothing for a run of less than a second').toEqual([])
  pass(1000)
  progress.taken('numbers', 500, 0.25)
  expect(written()).toEqual([`\r\x1b[Ktaking in numbers  ${'█'.repeat(6)}${'░'.repeat(18)}  25.0%  500 records`])
  progress.processed(0)
  pass(2000)
  progress.processed(1000)
  expect(written()).toEqual([`\r\x1b[K${'█'.repeat(12)}${'░'.repeat(12)}  50.0%  1,000 / 2,000  500 records/s  2s left`])
  pass(50)
  progress.processed(1100)
  expect(written(), 'not ten times a second more often').toEqual([])
  pass(1950)
  progress.processed(2000)
  expect(written()).toEqual([`\r\x1b[K${'█'.repeat(24)}  100.0%  2,000 / 2,000  500 records/s  all there is`])
  progress.end()
  expect(written()).toEqual(['\r\x1b[K'])
})

test('a line is cut to the width of the terminal', () => {
  const { progress, written } = setUp({ live: true, columns: 20 })
  pass(1000)
  progress.taken('numbers', 500, 0.25)
  expect(written()).toEqual(['\r\x1b[Ktaking in numbers  '])
})

test('in a pipe: a plain line every five seconds, no bar, nothing that steers a terminal', () => {
  const { progress, written } = setUp({ live: false })
  progress.processed(0)
  for (let second = 0; second < 10; second++) {
    pass(1000)
    progress.processed(100 * (second + 1))
  }
  progress.taken('numbers', 7, undefined)
  progress.end()
  expect(written()).toEqual(['25.0%  500 / 2,000  100 records/s  15s left\n', '50.0%  1,000 / 2,000  100 records/s  10s left\n'])
})

test('what comes from standard input has no share', () => {
  const { progress, written } = setUp({ live: false })
  pass(5000)
  progress.taken('numbers', 7, undefined)
  expect(written()).toEqual(['taking in numbers  7 records\n'])
})

test('nothing for who wants it quiet', () => {
  const { progress, written } = setUp({ live: true, quiet: true })
  pass(10_000)
  progress.processed(1000)
  progress.end()
  expect(written()).toEqual([])
})

function setUp({ live, columns = 120, quiet = false }: { live: boolean; columns?: number; quiet?: boolean }) {
  const texts: string[] = []
  const err = { write: (text: string) => void texts.push(text), live, columns }
  const terminal: Terminal = { out: { ...err, write: () => expect.unreachable('progress is no data') }, err, env: {} }
  return {
    progress: new RunProgress(terminal, { quiet, total: () => 2000 }),
    /** Since the last call. */
    written: () => texts.splice(0),
  }
}

function pass(ms: number): void {
  vi.advanceTimersByTime(ms)
}
