import { describe, expect, test } from 'vitest'
import { ManualClock } from '../../deploy/testing/manual-clock.ts'
import { BlockBuilder } from '../../engine/block/block-builder.ts'
import { MemoryLog } from '../../engine/log/memory/memory-log.ts'
import type { ControlEvent } from '../../replay/control-event.ts'
import { controlTopic, decide, readControl } from '../../replay/control-log.ts'
import { type ControlState, foldControl, markOf, nothingDecided } from '../../replay/control-state.ts'

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

describe('an event that does not go with what was decided before', () => {
  const both = [registered(1), registered(2), registered(3)]
  const gone: ControlEvent[] = [...both, { type: 'aborted', at: 5, version: 2 }]
  const open = [...both, hold('a', 1, 2)]
  const of = (version: number) => ({ at: 6, version })
  test.each<[string, ControlEvent[], ControlEvent, RegExp]>([
    ['the version that publishes is retired', both, { type: 'retired', ...of(1) }, /v1 can't become retired: it is active/],
    ['the version that publishes is aborted', both, { type: 'aborted', ...of(1) }, /v1 can't become aborted: it is active/],
    ['what was aborted is retired', gone, { type: 'retired', ...of(2) }, /v2 can't become retired: it is aborted/],
    ['what was aborted publishes', [...gone, hold('a', 1, 3)], cut('a', 1, 2), /v2 can't become active: it is aborted/],
    ['what was aborted is to publish', gone, hold('a', 1, 2), /v2 can't become active/],
    ['a switch of a version that does not publish', both, hold('a', 3, 2), /v3 can't become standby: it is candidate/],
    ['a switch to the version that publishes', both, hold('a', 1, 1), /v1 can't become active: it is active/],
    ['a hold beside another', open, hold('b', 1, 3), /the hold a is open/],
    ['a decision of another hold', open, cut('b', 1, 2), /the hold b is not open/],
    ['an abort of another hold', open, { type: 'holdAborted', at: 6, id: 'b' }, /the hold b is not open/],
    ['a version is registered twice', both, registered(2, 6), /v2 was registered before/],
    ['a version that is not known', both, { type: 'paused', ...of(7) }, /v7 was never registered/],
    ['an unknown version is retired', both, { type: 'retired', ...of(7) }, /v7 was never registered/],
    ['what was aborted is paused', gone, { type: 'paused', ...of(2) }, /v2 is aborted/],
    ['what was aborted goes on', gone, { type: 'resumed', ...of(2) }, /v2 is aborted/],
    ['what was aborted stops', gone, { type: 'stopped', ...of(2), code: 'X' }, /v2 is aborted/],
    ['what was aborted catches up', gone, { type: 'caughtUp', ...of(2) }, /v2 is aborted/],
    ['what was aborted gets a limit', gone, { type: 'rateSet', ...of(2), recordsPerSecond: 5 }, /v2 is aborted/],
    ['what was aborted gets a policy', gone, { type: 'policySet', ...of(2), policy: {} }, /v2 is aborted/],
    ['what was aborted skips', gone, { type: 'skipped', ...of(2), topic: 't', partition: 0, offset: 1 }, /v2 is aborted/],
  ])('is not written, and void where it was: %s', async (_, before, event, reason) => {
    const log = new MemoryLog({ clock: new ManualClock(1) })
    let state = nothingDecided
    for (const each of before) state = await decide(log, 'shop', state, each)
    const refused = decide(log, 'shop', state, event)
    await expect(refused).rejects.toMatchObject({ code: 'VERSION_STATE', details: { reason: expect.stringMatching(reason) } })
    expect(await readControl(log, 'shop')).toEqual(state)
    expect(foldControl([...before, event])).toEqual({ ...state, events: before.length + 1 })
  })
})

test('a log that has an event too many can be led on', async () => {
  const log = new MemoryLog({ clock: new ManualClock(1) })
  let state = nothingDecided
  const retired: ControlEvent = { type: 'retired', at: 12, version: 1 }
  for (const each of [registered(1), registered(2), hold('a', 1, 2), cut('a', 1, 2), retired])
    state = await decide(log, 'shop', state, each)
  // Two found at once that its time was over.
  const builder = new BlockBuilder()
  builder.add({ key: null, value: Buffer.from(JSON.stringify(retired)), eventTime: 12 })
  const { end, commit } = await log.producer(controlTopic('shop'))
  const appends = [{ topic: controlTopic('shop'), partition: 0, block: builder.finish() }]
  await commit({ expect: end, next: { seq: end.seq + 1, hash: '' }, appends })
  const next = await decide(log, 'shop', await readControl(log, 'shop'), registered(3))
  expect(roles(next)).toEqual({ 1: 'retired', 2: 'active', 3: 'candidate' })
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
