import type { FieldCode } from './field-code.ts'

/**
 * How the records of one key (of one window) become one value. A description only: it holds no state and can be used in several places.
 * The record type flows in from the stream: `aggregate({ mean: avg((flight) => flight.delay) })`.
 */
export interface Aggregator<in T, out R> {
  /** `count`, `sum` ...; for descriptions of the job. */
  readonly type: string
  /** Whether records can be taken out again; see `canRetract`. */
  readonly retractable: boolean
  readonly how: FieldCode<T> | CustomAggregator<T, unknown, unknown>
  /** Never set: carries the type of the result. */
  readonly resultType?: R
}

/** The aggregators of one pass, by the field of the result they give. */
export type Aggregators<T, Row> = { readonly [Field in keyof Row]: Aggregator<T, Row[Field]> }

/**
 * The functions of an aggregator of one's own. Results must not depend on the order of `add` and `merge` (law L3).
 * An accumulator is what a store can hold: numbers, strings, arrays, plain objects ... A record that makes another of it is bad
 * (STATE_VALUE_UNSUPPORTED). One that is changed in place is looked through when it is new only: what is put into it later must be plain data,
 * or come from the record.
 */
export interface CustomAggregator<in T, Acc, out R> {
  /** An accumulator without records. */
  init(): Acc
  /** With one more record. May change `acc` in place and return it; not when it throws. */
  add(acc: Acc, record: T): Acc
  /** Of both together. May change `acc` in place and return it; `other` stays as it is, and nothing of it is shared. */
  merge(acc: Acc, other: Acc): Acc
  /** The value of the result's field; shares nothing with `acc` that a later call changes. */
  result(acc: Acc): R
  /** Takes one record out that was added before. May change `acc` in place and return it; not when it throws. */
  remove?(acc: Acc, record: T): Acc
}

/** An aggregator of one's own; see `CustomAggregator` for what each function must do. */
export function aggregator<T, Acc, R>(functions: CustomAggregator<T, Acc, R>): Aggregator<T, R> {
  return custom('aggregator', functions)
}

/** Folds records with functions that give a new value each time; the value is the result. */
export function reduce<T, V>(functions: {
  init(): V
  add(value: V, record: T): V
  merge(value: V, other: V): V
  remove?(value: V, record: T): V
}): Aggregator<T, V> {
  return custom('reduce', { ...functions, result: (value: V) => value })
}

function custom<T, Acc, R>(type: string, functions: CustomAggregator<T, Acc, R>): Aggregator<T, R> {
  // What the accumulator is, only these functions know.
  return { type, retractable: functions.remove !== undefined, how: functions as CustomAggregator<T, unknown, unknown> }
}
