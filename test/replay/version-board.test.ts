import { expect, test } from 'vitest'
import type { TaskFacts } from '../../engine/runtime/steering.ts'
import type { ControlEvent } from '../../replay/control-event.ts'
import { foldControl } from '../../replay/control-state.ts'
import { VersionBoard } from '../../replay/version-board.ts'

const registered = (version: number): ControlEvent => ({
  type: 'registered',
  at: 0,
  version,
  sha256: '',
  parallelism: 1,
  fingerprint: '',
})
const hold: ControlEvent = { type: 'holdRequested', at: 1, id: 'a', from: 1, to: 2 }
const facts = (seq: number, position: number): TaskFacts => ({
  task: 0,
  tasks: 1,
  seq,
  hash: '',
  positions: new Map([['in/0', position]]),
  watermark: 0,
  processing: 0,
  held: undefined,
  timed: true,
  clocked: false,
})

test('what was decided before comes late: a board does not go back to it', () => {
  const told: number[] = []
  const board = new VersionBoard(({ events }) => told.push(events))
  const before = foldControl([registered(1), registered(2)])
  board.control = foldControl([registered(1), registered(2), hold])
  board.control = before
  expect(board.control.hold?.id).toBe('a')
  expect(told).toEqual([3])
})

test('facts of an earlier slice come late: a task does not go back to where it stood', () => {
  const board = new VersionBoard()
  board.learn(1, facts(2, 20))
  board.learn(1, facts(1, 10))
  expect(board.facts(1)!.positions.get('in/0')).toBe(20)
  board.learn(1, facts(3, 30))
  expect(board.facts(1)!.positions.get('in/0')).toBe(30)
})
