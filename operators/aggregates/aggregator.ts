/**
 * How the records of one key (of one window) become one value. A description only: it holds no state and can be used in several places.
 * The record type flows in from the stream: `aggregate({ mean: avg((flight) => flight.delay) })`.
 *
 * Results must not depend on the order of `add` and `merge` (law L3); those of `count`, `sum`, `avg`, `min`, `max` don't.
 * An accumulator is what a store can hold: numbers, strings, arrays, plain objects ...
 */
export interface Aggregator<in T, Acc, out R> {
  /** `count`, `sum` ...; for descriptions of the job. */
  readonly type: string
  /** An accumulator without records. */
  init(): Acc
  /** With one more record. May change `acc` in place and return it; not when it throws. */
  add(acc: Acc, record: T): Acc
  /** Of both together. May change `acc` in place and return it; `other` stays as it is. */
  merge(acc: Acc, other: Acc): Acc
  /** The value of the result's field; shares nothing with `acc` that a later call changes. */
  result(acc: Acc): R
  /** Takes one record out that was added before; absent: cannot (see `canRetract`). May change `acc` in place. */
  remove?(acc: Acc, record: T): Acc
}

/** The aggregators of one pass, by the field of the result they give. */
export type Aggregators<T, Row> = { readonly [Field in keyof Row]: Aggregator<T, unknown, Row[Field]> }

/** A custom aggregator; see `Aggregator` for what each function must do. */
export interface CustomAggregator<in T, Acc, out R> {
  init(): Acc
  add(acc: Acc, record: T): Acc
  merge(acc: Acc, other: Acc): Acc
  result(acc: Acc): R
  remove?(acc: Acc, record: T): Acc
}
