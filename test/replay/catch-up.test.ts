import { expect, test } from 'vitest'
import { type CatchUp, caughtUp, gatesOf, type Lag, lookAt, overdue, policyWith } from '../../replay/catch-up.ts'

const policy = { maxLagRecords: 100, maxLagMs: 5000, holdMs: 3000 }
const lag = (records: number, ms = 0): Lag => ({ records, ms, partition: records === 0 ? undefined : 'orders/1' })

/** Looks a second apart. */
function after(...lags: Lag[]): { catchUp: CatchUp | undefined; now: number } {
  let catchUp: CatchUp | undefined
  lags.forEach((each, s) => {
    catchUp = lookAt(catchUp, each, policy, s * 1000)
  })
  return { catchUp, now: (lags.length - 1) * 1000 }
}

function isCaughtUp(...lags: Lag[]): boolean {
  const { catchUp, now } = after(...lags)
  return catchUp !== undefined && caughtUp(catchUp, policy, now)
}

test('caught up is close behind for as long as the policy asks, not at the first look', () => {
  expect(isCaughtUp(lag(100))).toBe(false)
  expect(isCaughtUp(lag(100), lag(50), lag(0))).toBe(false)
  expect(isCaughtUp(lag(100), lag(50), lag(0), lag(100, 5000))).toBe(true)
})

test('records and time both count', () => {
  expect(isCaughtUp(lag(101), lag(101), lag(101), lag(101))).toBe(false)
  expect(isCaughtUp(lag(1, 5001), lag(1, 5001), lag(1, 5001), lag(1, 5001))).toBe(false)
})

test('one look outside and the time begins anew', () => {
  expect(isCaughtUp(lag(0), lag(0), lag(101), lag(0), lag(0))).toBe(false)
  expect(isCaughtUp(lag(0), lag(0), lag(101), lag(0), lag(0), lag(0), lag(0))).toBe(true)
})

test('a gate says what it found, what is asked for and since when', () => {
  const { catchUp, now } = after(lag(0), lag(300), lag(200, 7000))
  const [running, maxLag, held] = gatesOf({ health: 'running', healthSince: 0 }, catchUp, lag(200, 7000), policy, now)
  expect(running!.pass).toBe(true)
  expect(maxLag).toEqual({ name: 'max lag', pass: false, found: '200 records, 7.0s (orders/1)', limit: '100 records, 5.0s', since: 1000 })
  expect(held).toMatchObject({ name: 'held', pass: false, found: '0.0s', limit: '3.0s' })
})

test('a version that does not run passes no gate by what was seen before', () => {
  const gates = gatesOf({ health: 'stopped', healthSince: 7 }, undefined, undefined, policy, 9000)
  expect(gates.map(({ pass }) => pass)).toEqual([false, false, false])
})

test('the lag of a version that was stopped passes by what is said of it; it has held for no time', () => {
  const gates = (records: number) => gatesOf({ health: 'stopped', healthSince: 7 }, undefined, lag(records), policy, 9000)
  expect(gates(0).map(({ pass }) => pass)).toEqual([false, true, false])
  expect(gates(101).map(({ pass }) => pass)).toEqual([false, false, false])
})

test('what is said for a version goes before what the server says, also a zero', () => {
  expect(policyWith(policy, {})).toEqual(policy)
  expect(policyWith({ ...policy, deadlineMs: 9 }, { maxLagMs: 0, holdMs: 7 })).toEqual({
    maxLagRecords: 100,
    maxLagMs: 0,
    holdMs: 7,
    deadlineMs: 9,
  })
  expect(policyWith({ ...policy, deadlineMs: 9 }, { deadlineMs: 10, maxLagRecords: 0 })).toEqual({
    ...policy,
    deadlineMs: 10,
    maxLagRecords: 0,
  })
})

test('overdue is a candidate that runs, never caught up, and has had its time since it began to run', () => {
  const state = { role: 'candidate', health: 'running', healthSince: 1000, caughtUpAt: undefined } as const
  const limited = { ...policy, deadlineMs: 500 }
  expect([1499, 1500].map((now) => overdue(state, limited, now))).toEqual([false, true])
  expect(overdue(state, policy, 1e12)).toBe(false)
  for (const other of [{ role: 'standby' }, { health: 'paused' }, { health: 'stopped' }, { caughtUpAt: 1200 }] as const)
    expect(overdue({ ...state, ...other }, limited, 9000), JSON.stringify(other)).toBe(false)
})
