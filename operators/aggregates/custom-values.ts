import { checkStorable, storable } from '../../engine/codec/value-codec.ts'
import type { CustomAggregator } from './aggregator.ts'

/**
 * The accumulator to hand to a function that may change it in place: the one that is kept, or a copy when the record has something in it that no
 * store can keep, so that it does not stay in the accumulator when the record is refused for it.
 */
export function safeToChange(how: CustomAggregator<unknown, unknown, unknown>, acc: unknown, record: unknown): unknown {
  return typeof acc !== 'object' || acc === null || storable(record) ? acc : how.merge(how.init(), acc)
}

/**
 * What a function of an aggregator gave, if a store can keep it. One that was changed in place is not looked through again: it may be large, and what
 * went in was plain data. Errors: STATE_VALUE_UNSUPPORTED.
 */
export function kept(aggregator: string, acc: unknown, before?: unknown): unknown {
  if (acc !== before || typeof acc !== 'object') checkStorable(acc, { aggregator })
  return acc
}
