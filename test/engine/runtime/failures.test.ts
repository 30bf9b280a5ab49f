import { describe, expect, test } from 'vitest'
import { type ErrorCode, StreamError } from '../../../engine/errors.ts'
import { Failures, passes, recoverable } from '../../../engine/runtime/failures.ts'

const failed = (code: ErrorCode) => new StreamError(code)
const failures = (failuresMax = 3) => new Failures({ failuresMax, retryBackoffMs: 50 })

describe('failures in a row', () => {
  test('are too many when the log has nothing more in between', () => {
    const task = failures()
    for (let i = 0; i < 3; i++) task.add(failed('COMMIT_CONFLICT'))
    expect(() => task.add(failed('COMMIT_CONFLICT'))).toThrow('COMMIT_CONFLICT')
  })

  test('begin anew with each slice the log has, and pauses with them', () => {
    const task = failures()
    for (let seq = 1; seq < 20; seq++) {
      task.acknowledged(seq)
      expect(task.add(failed('COMMIT_CONFLICT'))).toBe(50)
      expect(task.add(failed('COMMIT_CONFLICT'))).toBe(100)
    }
  })

  test('are counted on when a task dies now as it begins and now as it runs', () => {
    const task = failures()
    const lives = () => {
      for (;;) {
        task.acknowledged(7)
        task.add(failed('COMMIT_CONFLICT'))
        task.add(failed('STATE_CORRUPT'))
      }
    }
    expect(lives).toThrow('STATE_CORRUPT')
  })

  test('before its first life do not count against a later one', () => {
    const task = failures()
    for (let i = 0; i < 3; i++) task.add(failed('COMMIT_CONFLICT'))
    task.acknowledged(5)
    task.acknowledged(6)
    expect(task.add(failed('COMMIT_CONFLICT'))).toBe(50)
  })
})

test('what passes by itself is waited for however long it takes, with pauses that grow up to a hundredfold', () => {
  const task = failures(0)
  const pauses = Array.from({ length: 1000 }, (_, i) => task.add(failed(i % 2 === 0 ? 'DISK_FULL' : 'LOG_UNAVAILABLE')))
  expect(pauses.slice(0, 9)).toEqual([50, 100, 200, 400, 800, 1600, 3200, 5000, 5000])
  expect(pauses.at(-1)).toBe(5000)
  expect(() => task.add(failed('COMMIT_CONFLICT'))).toThrow('COMMIT_CONFLICT')
})

test('a failure of the job itself is none that passes', () => {
  for (const error of [failed('OPERATOR_THREW'), failed('VERSION_NOT_READY'), new Error('DISK_FULL')])
    expect([recoverable(error), passes(error)]).toEqual([false, false])
})
