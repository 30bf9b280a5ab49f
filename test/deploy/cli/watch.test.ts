import { expect, test } from 'vitest'
import type { Terminal } from '../../../deploy/cli/terminal.ts'
import { watch } from '../../../deploy/cli/watch.ts'
import { ManualClock } from '../../../deploy/testing/manual-clock.ts'
import { StreamError } from '../../../engine/errors.ts'

const away = new StreamError('SERVER_UNREACHABLE')

/** Watches for so many seconds. @param answers what each look gives, in turn; the last goes on. */
async function watched(answers: (string | Error)[], { live = false, json = false, seconds = 65 } = {}) {
  const clock = new ManualClock(Date.UTC(2026, 0, 1))
  const stop = new AbortController()
  let ended = false
  const texts = { out: '', err: '' }
  const output = (name: 'out' | 'err') => ({ write: (text: string) => void (texts[name] += text), live, columns: 80 })
  const terminal: Terminal = { out: output('out'), err: output('err'), env: {} }
  const looks: number[] = []
  const look = async () => {
    looks.push(clock.monotonic() / 1000)
    const answer = answers[Math.min(looks.length, answers.length) - 1]!
    if (answer instanceof Error) throw answer
    return answer
  }
  const signals = { stop: stop.signal, exitCode: 130, end: () => void (ended = true) }
  const shown = { look, screen: (text: string) => `[${text}]\n`, lines: (text: string) => `${text}\n` }
  const watching = watch(terminal, { json, color: false }, shown, clock, signals)
  watching.catch(() => {})
  for (let i = 0; i < seconds; i++) {
    await clock.yield()
    clock.advance(1000)
  }
  stop.abort()
  clock.wakeAll()
  const found = await watching.catch((error: unknown) => error)
  expect(ended).toBe(true)
  return { ...texts, looks, found }
}

test('a screen is drawn over each second', async () => {
  const { out, found } = await watched(['a', 'b'], { live: true, seconds: 2 })
  expect(out).toBe('\x1b[J[a]\n\x1b[1A\x1b[J[b]\n')
  expect(found).toEqual({ last: 'b', exitCode: 130 })
})

test('a pipe gets lines each 30 seconds, JSON each second', async () => {
  expect((await watched(['a', 'b', 'c'])).out).toBe('a\nb\nc\n')
  expect((await watched(['a', 'b'], { json: true, seconds: 4 })).out).toBe('"a"\n"b"\n"b"\n"b"\n')
})

test('a server that goes away is waited for, and looked for each second', async () => {
  const { out, err, looks } = await watched(['a', away, new StreamError('SERVER_STOPPING'), away, 'b', 'c'])
  expect(out).toBe('a\nb\nc\n')
  expect(err).toBe('the server does not answer; it is asked again each second\nthe server answers again\n')
  expect(looks).toEqual([0, 30, 31, 32, 33, 63])
})

test('a screen says since when there is no answer, below what was seen last', async () => {
  const { out, err } = await watched(['a', away, away, 'b'], { live: true, seconds: 4 })
  const line = '! the server does not answer since 00:00:01; it is asked again each second\n'
  expect(out.split('\x1b[J').slice(1)).toEqual(['[a]\n\x1b[1A', `[a]\n${line}\x1b[2A`, `[a]\n${line}\x1b[2A`, '[b]\n'])
  expect(err).toBe('')
})

test('what fails otherwise ends it, and so does a server that never answered', async () => {
  const unknown = new StreamError('JOB_UNKNOWN')
  expect((await watched(['a', away, unknown])).found).toBe(unknown)
  expect((await watched([away, 'a'])).found).toBe(away)
})
