import { expect, test } from 'vitest'
import type { ControlEvent } from '../../replay/control-event.ts'
import { foldControl } from '../../replay/control-state.ts'
import { type Action, type ControllerFacts, step } from '../../replay/controller.ts'

const bakeMs = 1000

function steps(events: readonly ControlEvent[], facts: Partial<ControllerFacts> = {}): Action[] {
  return step({
    control: foldControl(events),
    running: new Set(),
    cleaned: new Set(),
    ready: [],
    overdue: [],
    cuttingOver: false,
    now: 0,
    bakeMs,
    ...facts,
  })
}

const registered = (version: number): ControlEvent => ({
  type: 'registered',
  at: 0,
  version,
  sha256: `sha-${version}`,
  parallelism: 1,
  fingerprint: '',
})
const hold: ControlEvent = { type: 'holdRequested', at: 10, id: 'a', from: 1, to: 2 }
const cut: ControlEvent = {
  type: 'cutOver',
  at: 100,
  id: 'a',
  from: 1,
  to: 2,
  positions: {},
  watermark: null,
  processing: 0,
  ends: {},
}

test('what should run and does not is started; done, there is nothing to do', () => {
  const two = [registered(1), registered(2)]
  expect(steps(two)).toEqual([
    { do: 'start', version: 1 },
    { do: 'start', version: 2 },
  ])
  expect(steps(two, { running: new Set([1, 2]) })).toEqual([])
})

test('a version that stopped stays so until somebody resumes it', () => {
  const stopped = [registered(1), { type: 'stopped', at: 5, version: 1, code: 'X' }] satisfies ControlEvent[]
  expect(steps(stopped)).toEqual([])
  expect(steps([...stopped, { type: 'resumed', at: 6, version: 1 }])).toEqual([{ do: 'start', version: 1 }])
})

test('a version that stopped and publishes comes back for a hold, to stand still', () => {
  const held = [registered(1), registered(2), { type: 'stopped', at: 5, version: 1, code: 'X' }, hold] satisfies ControlEvent[]
  const facts = { running: new Set([2]), cuttingOver: true }
  expect(steps(held, facts)).toEqual([{ do: 'start', version: 1 }])
  expect(steps([...held, { type: 'holdAborted', at: 11, id: 'a' }], { running: new Set([1, 2]) })).toEqual([{ do: 'stop', version: 1 }])
})

test('what was aborted is stopped first and cleaned once its thread is gone', () => {
  const aborted = [registered(1), registered(2), { type: 'aborted', at: 5, version: 2 }] satisfies ControlEvent[]
  expect(steps(aborted, { running: new Set([1, 2]) })).toEqual([{ do: 'stop', version: 2 }])
  expect(steps(aborted, { running: new Set([1]) })).toEqual([{ do: 'clean', version: 2 }])
  expect(steps(aborted, { running: new Set([1]), cleaned: new Set([2]) })).toEqual([])
})

test('the way back is kept for the bake time, and not taken away while a cut-over is under way', () => {
  const over = [registered(1), registered(2), hold, cut]
  const running = new Set([1, 2])
  expect(steps(over, { running, now: 1099 })).toEqual([])
  expect(steps(over, { running, now: 1100 })).toEqual([{ do: 'retire', version: 1 }])
  const back: ControlEvent = { type: 'holdRequested', at: 1000, id: 'b', from: 2, to: 1 }
  expect(steps([...over, back], { running, now: 1100, cuttingOver: true })).toEqual([])
})

test('a hold that nobody carries out any more is aborted; one that is under way is not', () => {
  const held = [registered(1), registered(2), hold]
  const running = new Set([1, 2])
  expect(steps(held, { running })).toEqual([{ do: 'abortHold', id: 'a' }])
  expect(steps(held, { running, cuttingOver: true })).toEqual([])
})

test('of several candidates that are ready the newest takes over, one at a time', () => {
  const three = [registered(1), registered(2), registered(3)]
  const running = new Set([1, 2, 3])
  expect(steps(three, { running, ready: [2, 3] })).toEqual([{ do: 'promote', version: 3 }])
  expect(steps(three, { running, ready: [2, 3], cuttingOver: true })).toEqual([])
})

test('a candidate that is overdue expires, and is stopped once that is decided', () => {
  const two = [registered(1), registered(2)]
  const running = new Set([1, 2])
  expect(steps(two, { running, overdue: [2] })).toEqual([{ do: 'expire', version: 2 }])
  expect(steps([...two, { type: 'stopped', at: 9, version: 2, code: 'CATCH_UP_OVERDUE' }], { running })).toEqual([
    { do: 'stop', version: 2 },
  ])
})
