/**
 * How a built-in aggregator is written as straight code into the compiled accumulator (see compile.ts). Each part is JavaScript text for the
 * aggregator's ordinal `i`; names it may use: the record's value `v${i}`, accumulators `c` (changed) and `d` (read), and what `helpers` gives.
 * Every accumulator also has `n`, the number of its records, kept by the compiled code.
 */
export interface FieldCode<in T> {
  /** Reads the value of a record; called once a record, before anything changes. Absent: needs none. */
  readonly value?: (record: T) => unknown
  /** Which values are taken: numbers, or numbers and strings. */
  readonly takes?: 'number' | 'comparable'
  readonly helpers: Readonly<Record<string, unknown>>
  readonly code: (i: number) => FieldParts
  /** Another way of keeping it, from which records can be taken out; absent: `code` can. */
  readonly retractableCode?: (i: number) => FieldParts
}

export interface FieldParts {
  /** Fields of a new accumulator of one record: `s0:v0,x0:undefined`. May be empty. */
  readonly create: string
  readonly add: string
  /** Absent: `add` can't be undone. */
  readonly remove?: string
  readonly merge: string
  /** Undoes a `merge` exactly; absent: can't be undone. */
  readonly unmerge?: string
  /** Fields of a copy of `d` that shares nothing with it. */
  readonly copy: string
  /** An expression of `c`. */
  readonly result: string
}
