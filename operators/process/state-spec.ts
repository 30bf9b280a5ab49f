import type { Key } from '../../engine/model/record.ts'
import { type Duration, durationMs } from '../duration.ts'

export interface StateOptions {
  /** A value not written for so long, in event time, is gone. Without it: values stay. */
  readonly ttl?: Duration
}

export interface ValueSpec<out T> {
  readonly kind: 'value'
  readonly ttlMs: number | undefined
  /** For the compiler only; never there. */
  readonly valueType?: T
}
export interface MapSpec<MK extends Key, out T> {
  readonly kind: 'map'
  readonly ttlMs: number | undefined
  /** For the compiler only; never there. */
  readonly keyType?: MK
  /** For the compiler only; never there. */
  readonly valueType?: T
}

export type StateSpecs = Readonly<Record<string, ValueSpec<unknown> | MapSpec<Key, unknown>>>

/** What a process function sees of its state. */
export type StateOf<S> = {
  readonly [Name in keyof S]: S[Name] extends ValueSpec<infer T>
    ? ValueState<T>
    : S[Name] extends MapSpec<infer MK, infer T>
      ? MapState<MK, T>
      : never
}

/** One value of the key at hand. A value that comes from `get` must not be changed in place: `put` a new one. */
export interface ValueState<T> {
  get(): T | undefined
  put(value: T): void
  clear(): void
}

/** Values of the key at hand by a second key. A value that comes from `get` must not be changed in place: `put` a new one. */
export interface MapState<MK extends Key, T> {
  get(key: MK): T | undefined
  has(key: MK): boolean
  put(key: MK, value: T): void
  /** @returns whether there was one. */
  remove(key: MK): boolean
  /** Numbers before strings, numbers by value, strings by code unit. */
  keys(): MK[]
  /** In the order of `keys`. */
  entries(): [MK, T][]
  clear(): void
}

/** State of one value for each key. Errors: JOB_INVALID. */
export function value<T>(options: StateOptions = {}): ValueSpec<T> {
  return { kind: 'value', ttlMs: ttlOf(options) }
}

/** State of many values for each key, by a second key. Errors: JOB_INVALID. */
export function map<MK extends Key, T>(options: StateOptions = {}): MapSpec<MK, T> {
  return { kind: 'map', ttlMs: ttlOf(options) }
}

function ttlOf({ ttl }: StateOptions): number | undefined {
  return ttl === undefined ? undefined : durationMs(ttl, 'ttl of a state')
}
