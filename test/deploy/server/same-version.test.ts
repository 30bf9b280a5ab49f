import { describe, expect, test } from 'vitest'
import { checkSame, sameVersion } from '../../../deploy/server/same-version.ts'
import type { ControlEvent } from '../../../replay/control-event.ts'
import { foldControl } from '../../../replay/control-state.ts'

const at = 1
const registered = (version: number, more: Partial<Extract<ControlEvent, { type: 'registered' }>> = {}): ControlEvent => ({
  ...{ type: 'registered', at, version, sha256: 'sha', parallelism: 1, fingerprint: '' },
  ...more,
})

test('the same code, parallelism and beginning are the same version, as long as that is alive', () => {
  const control = foldControl([registered(1), registered(2, { parallelism: 2 }), registered(3, { starts: { 'orders/0': 5 } })])
  const numberOf = (parallelism: number, starts = {}) => sameVersion(control, { sha256: 'sha', parallelism, starts })?.version
  expect([numberOf(1), numberOf(2), numberOf(3), numberOf(1, { 'orders/0': 5 })]).toEqual([1, 2, undefined, 3])
  const over = foldControl([registered(1), registered(2, { parallelism: 2 }), { type: 'aborted', at, version: 2 }])
  expect(sameVersion(over, { sha256: 'sha', parallelism: 2, starts: {} })).toBeUndefined()
})

describe('a version that is there', () => {
  const control = foldControl([registered(1), registered(2), registered(3, { promote: 'auto' })])
  const check = (version: number, promote: 'manual' | 'auto', limited = false) =>
    checkSame('orders', control.versions.get(version)!, { promote, limited })

  test('does not begin to take over by itself', () => {
    expect(() => check(2, 'auto')).toThrow(/VERSION_STATE.*v2 is this code already, and does not take over by itself/)
    for (const [version, promote] of [
      [1, 'auto'],
      [2, 'manual'],
      [3, 'auto'],
    ] as const)
      expect(() => check(version, promote)).not.toThrow()
  })

  test('is not slowed down by the way while it publishes', () => {
    expect(() => check(1, 'manual', true)).toThrow(/VERSION_STATE.*v1 is this code already, and publishes/)
    expect(() => check(2, 'manual', true)).not.toThrow()
  })
})
