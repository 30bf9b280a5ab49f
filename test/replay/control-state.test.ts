import { describe, expect, test } from 'vitest'
import type { ControlEvent } from '../../replay/control-event.ts'
import { type ControlState, foldControl, markOf } from '../../replay/control-state.ts'

const registered = (version: number, at = version): ControlEvent => ({
  type: 'registered',
  at,
  version,
  sha256: `sha-${version}`,
  parallelism: 1,
  fingerprint: '',
  by: 'ana',
  reason: `change ${version}`,
})
const hold = (id: string, from: number, to: number): ControlEvent => ({ type: 'holdRequested', at: 10, id, from, to })
const cut = (id: string, from: number, to: number): ControlEvent => ({
  type: 'cutOver',
  at: 11,
  id,
  from,
  to,
  positions: {},
  watermark: null,
  processing: 0,
  ends: {},
})

const roles = ({ versions }: ControlState) => Object.fromEntries([...versions.values()].map(({ version, role }) => [version, role]))

test('the first version publishes, later ones are candidates', () => {
  const state = foldControl([registered(1), registered(2), registered(3)])
  expect(state.owner).toBe(1)
  expect(roles(state)).toEqual({ 1: 'active', 2: 'candidate', 3: 'candidate' })
  expect(state.registered!.version).toBe(3)
  expect(state.versions.get(2)).toMatchObject({ by: 'ana', message: 'change 2', health: 'running' })
})

test('a cut-over exchanges the roles, and back again', () => {
  const there = [registered(1), registered(2), hold('a', 1, 2), cut('a', 1, 2)]
  expect(roles(foldControl(there))).toEqual({ 1: 'standby', 2: 'active' })
  const back = foldControl([...there, hold('b', 2, 1), cut('b', 2, 1)])
  expect(roles(back)).toEqual({ 1: 'active', 2: 'standby' })
  expect(back.cutOvers.get(1)).toMatchObject({ id: 'b', events: 6 })
  expect(back.hold).toBeUndefined()
})

describe('a decision is void', () => {
  test('when its hold was aborted', () => {
    const state = foldControl([registered(1), registered(2), hold('a', 1, 2), { type: 'holdAborted', at: 10, id: 'a' }, cut('a', 1, 2)])
    expect(roles(state)).toEqual({ 1: 'active', 2: 'candidate' })
  })

  test('when another hold is open', () => {
    const state = foldControl([registered(1), registered(2), hold('b', 1, 2), cut('a', 1, 2)])
    expect([state.owner, state.hold?.id]).toEqual([1, 'b'])
  })
})

test('an abort of another hold leaves the open one', () => {
  const state = foldControl([registered(1), registered(2), hold('b', 1, 2), { type: 'holdAborted', at: 10, id: 'a' }])
  expect(state.hold?.id).toBe('b')
})

test('a hold is levelled by its own name, and is another one to those that stand still for it', () => {
  const levelled = (id: string): ControlEvent => ({ type: 'holdLevelled', at: 11, id, watermark: 7, processing: 8 })
  const open = [registered(1), registered(2), hold('a', 1, 2)]
  const before = foldControl(open).hold!
  const after = foldControl([...open, levelled('a')]).hold!
  expect(after).toMatchObject({ id: 'a', from: 1, to: 2, level: { watermark: 7, processing: 8 } })
  expect(markOf(after)).not.toBe(markOf(before))
  expect(foldControl([...open, levelled('b')]).hold).toEqual(before)
  expect(foldControl([...open, levelled('a'), cut('a', 1, 2)])).toMatchObject({ owner: 2, hold: undefined })
})

test('health is a field of its own beside the role', () => {
  const stopped = foldControl([registered(1), { type: 'stopped', at: 5, version: 1, code: 'OPERATOR_THREW', reason: 'no' }])
  expect(stopped.versions.get(1)).toMatchObject({ role: 'active', health: 'stopped', code: 'OPERATOR_THREW', reason: 'no' })
  const resumed = foldControl([
    registered(1),
    { type: 'paused', at: 5, version: 1, reason: 'lunch' },
    { type: 'resumed', at: 6, version: 1 },
  ])
  expect(resumed.versions.get(1)).toMatchObject({ health: 'running', reason: undefined })
})

test('a pause by a rate of 0, and the record a version stopped at, are known until it goes on', () => {
  const paused: ControlEvent = { type: 'paused', at: 5, version: 1, rate: 0 }
  const record = { topic: 'orders', partition: 0, offset: 7 }
  const stopped: ControlEvent = { type: 'stopped', at: 6, version: 1, code: 'OPERATOR_THREW', record }
  const state = (...events: ControlEvent[]) => foldControl([registered(1), ...events]).versions.get(1)
  const nothing = { pausedByRate: false, stoppedAt: undefined }
  expect(state(paused)).toMatchObject({ pausedByRate: true, stoppedAt: undefined })
  expect(state({ type: 'paused', at: 5, version: 1 })).toMatchObject(nothing)
  expect(state(paused, stopped)).toMatchObject({ pausedByRate: false, stoppedAt: record })
  expect(state(paused, stopped, { type: 'resumed', at: 7, version: 1 })).toMatchObject(nothing)
})

test('limits are as they were set last; older logs know of none in bytes', () => {
  const rate = (recordsPerSecond: number | null, bytesPerSecond?: number): ControlEvent => ({
    ...{ type: 'rateSet', at: 5, version: 1, recordsPerSecond },
    ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }),
  })
  const limits = (...events: ControlEvent[]) => {
    const { recordsPerSecond, bytesPerSecond } = foldControl([registered(1), ...events]).versions.get(1)!
    return [recordsPerSecond, bytesPerSecond]
  }
  expect(limits()).toEqual([null, null])
  expect(limits(rate(50))).toEqual([50, null])
  expect(limits(rate(50), rate(50, 4000))).toEqual([50, 4000])
})

test('the version that publishes can not be aborted or retired, and what was retired does not come back', () => {
  expect(() => foldControl([registered(1), { type: 'aborted', at: 5, version: 1 }])).toThrow(/v1 can't become aborted: it is active/)
  expect(() =>
    foldControl([registered(1), registered(2), { type: 'aborted', at: 5, version: 2 }, hold('a', 1, 2), cut('a', 1, 2)]),
  ).toThrow(/v2 can't become active: it is aborted/)
})

test('health has a time of its own, and that a version caught up once stays', () => {
  const events: ControlEvent[] = [
    registered(1),
    { ...registered(2), policy: { maxLagMs: 5 } } as ControlEvent,
    { type: 'paused', at: 20, version: 2 },
    { type: 'resumed', at: 30, version: 2 },
    { type: 'caughtUp', at: 40, version: 2 },
    { type: 'stopped', at: 50, version: 2, code: 'X' },
    { type: 'policySet', at: 60, version: 2, policy: { holdMs: 7 } },
  ]
  const of2 = (count: number) => foldControl(events.slice(0, count)).versions.get(2)
  expect(of2(2)).toMatchObject({ healthSince: 2, caughtUpAt: undefined, policy: { maxLagMs: 5 } })
  expect(of2(3)).toMatchObject({ healthSince: 20 })
  expect(of2(4)).toMatchObject({ healthSince: 30 })
  expect(of2(7)).toMatchObject({ healthSince: 50, caughtUpAt: 40, policy: { holdMs: 7 }, role: 'candidate' })
})
