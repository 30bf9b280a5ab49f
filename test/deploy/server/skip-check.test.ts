import { expect, test } from 'vitest'
import { checkSkip } from '../../../deploy/server/skip-check.ts'
import { foldControl } from '../../../replay/control-state.ts'

const { versions } = foldControl([{ type: 'registered', at: 1, version: 1, sha256: 'sha', parallelism: 1, fingerprint: '' }])
const log = { bounds: () => ({ start: 10, end: 20 }) }
const check = (topic: string, offset: number, positions?: ReadonlyMap<string, number>) =>
  checkSkip(log, { job: 'orders', state: versions.get(1)!, sources: ['orders'], positions }, { topic, partition: 0, offset })

test('a record that is there and was not taken can be passed over', () => {
  const positions = new Map([['orders/0', 12]])
  expect(() => check('orders', 12, positions)).not.toThrow()
  expect(() => check('orders', 19, positions)).not.toThrow()
  expect(() => check('orders', 11, positions)).toThrow(/VERSION_STATE.*it has taken this record already/)
})

test('one that is not there, or that the job does not read, can not', () => {
  for (const offset of [9, 20, 4711]) expect(() => check('orders', offset)).toThrow(/OFFSET_OUT_OF_RANGE.*earliest: 10, end: 20/)
  expect(() => check('parcels', 12)).toThrow(/TOPIC_UNKNOWN.*parcels/)
})
