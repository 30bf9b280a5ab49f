import { expect, test } from 'vitest'
import { ActionRunner } from '../../../deploy/server/action-runner.ts'
import type { Action } from '../../../replay/controller.ts'

/** Actions that end when the test says so. */
class Work {
  readonly begun: Action[] = []
  private readonly ends = new Map<Action, { resolve: () => void; reject: (error: Error) => void }>()
  readonly failures: unknown[] = []
  readonly runner = new ActionRunner(
    (action) => {
      this.begun.push(action)
      return new Promise((resolve, reject) => this.ends.set(action, { resolve, reject }))
    },
    (error) => this.failures.push(error),
  )

  end(action: Action): void {
    this.ends.get(action)!.resolve()
  }

  fail(action: Action, error: Error): void {
    this.ends.get(action)!.reject(error)
  }
}

const stop1: Action = { do: 'stop', version: 1 }
const start1: Action = { do: 'start', version: 1 }
const start2: Action = { do: 'start', version: 2 }
const abortHold: Action = { do: 'abortHold', id: 'a' }

test('a version that takes its time to end keeps no other one waiting', () => {
  const work = new Work()
  work.runner.begin([stop1])
  work.runner.begin([stop1, start2, abortHold])
  expect(work.begun).toEqual([stop1, start2, abortHold])
})

test('about one version nothing is begun before the last thing is done, whoever asks', async () => {
  const work = new Work()
  work.runner.begin([stop1, start1])
  work.runner.begin([stop1])
  work.runner.begin([start1])
  expect(work.begun).toEqual([stop1])
  work.end(stop1)
  await work.runner.done(1)
  work.runner.begin([start1])
  expect(work.begun).toEqual([stop1, start1])
})

test('who waits for a version is told how it ended, and what failed can be begun again', async () => {
  const work = new Work()
  work.runner.begin([start1])
  const waited = work.runner.done(1)
  await work.runner.done(2)
  work.fail(start1, new Error('no bundle'))
  await expect(waited).rejects.toThrow('no bundle')
  expect(work.failures).toEqual([new Error('no bundle')])
  work.runner.begin([{ ...start1 }])
  expect(work.begun).toHaveLength(2)
})

test('all is done when nothing is under way any more, also what failed', async () => {
  const work = new Work()
  work.runner.begin([start1, start2])
  let over = false
  const all = work.runner.allDone().then(() => {
    over = true
  })
  work.fail(start1, new Error('no'))
  await Promise.resolve()
  expect(over).toBe(false)
  work.end(start2)
  await all
})
