import type { Key } from '../model/record.ts'

/** One value kept by key. */
export interface Entry<V> {
  readonly key: Key
  /** undefined: newly made by `edit`, to be set at once. */
  value: V | undefined
}

/**
 * The entries of one store that share their first key part (`at`): all keys of a window end, all entries of a map, timers due at one time.
 * Synchronous. A group that becomes empty is forgotten by its store; keep no reference to one across slices.
 */
export interface Group<V> {
  readonly at: Key
  readonly size: number
  /** The value, or undefined. Not to be changed in place: use `edit`. */
  get(key: Key): V | undefined
  has(key: Key): boolean
  /**
   * The entry of `key`, made with value undefined when there is none. Its value may be replaced or changed in place until the end of the slice,
   * and only then: the change belongs to this slice's checkpoint generation.
   */
  edit(key: Key): Entry<V>
  put(key: Key, value: V): void
  /** @returns whether there was one. */
  remove(key: Key): boolean
  /** All keys in canonical order (see compareKeys), also those that are not in memory. A copy. */
  keys(): Key[]
}

/**
 * One named store of one task: values by (at, key), both strings or numbers. Plain keyed state uses a single group.
 * Values are what structured state may hold: undefined inside objects, null, booleans, numbers (also -0, NaN, infinities), strings, bigints, Date,
 * Uint8Array, arrays, plain objects, Map, Set; a value read back equals the one put in. Anything else: STATE_VALUE_UNSUPPORTED.
 */
export interface Store<V> {
  readonly name: string
  /** The group, if it has entries. */
  group(at: Key): Group<V> | undefined
  /** The group, made when there is none. */
  openGroup(at: Key): Group<V>
  /** Removes all entries of the group. */
  removeGroup(at: Key): void
  /** First parts with entries, in canonical order. A view that is valid until the next change. */
  groups(): readonly Key[]
  /** The lowest first part with entries; cheap. */
  firstGroup(): Key | undefined
}

/** What operators ask of state; every name is given by the job's author. */
export interface Stores {
  /** The same name gives the same store. */
  store<V>(name: string): Store<V>
}

export interface StoreSize {
  readonly store: string
  readonly keys: number
  /** What its entries take in memory, or would; an estimate. */
  readonly bytes: number
}

/** Where a checkpoint stands: all slices up to `seq` are in it. */
export interface RestorePoint {
  readonly seq: number
  readonly hash: string
  /** What the task keeps beside its stores (watermarks, cursors, counters); structured like a value of a store. */
  readonly cursor: unknown
}

/**
 * The state of one task: stores in memory first, checkpoints, what does not fit on disk.
 * The owner calls, in this order: `restore`, then for each slice run: (stores change) `ended`, from time to time `cut`; `acknowledged` as commits return;
 * `step` between slices.
 */
export interface TaskState extends Stores {
  /**
   * Loads the newest checkpoint that verifies and that `confirmed` says the journal has. Called once, first.
   * @returns null when there is none: the stores are empty then.
   * Errors: LOG_CORRUPT when a verified checkpoint is ahead of the journal (`confirmed` throws it).
   */
  restore(confirmed: (point: { seq: number; hash: string }) => boolean): Promise<RestorePoint | null>
  /** Begins a checkpoint of the state as it is now, at the end of a slice. Cheap; copies on write from here on. False when one is still under way. */
  cut(point: RestorePoint): boolean
  /** Everything up to this slice is durable in the journal: a checkpoint cut at or below it may be published. */
  acknowledged(seq: number): void
  /** Does some of the pending work (serialising, applying) for about `budgetMs`. Throws what went wrong in the background. */
  step(budgetMs: number): void
  /** A checkpoint is under way or waits for its publication. */
  readonly checkpointing: boolean
  /** Dirty entries take so much of the memory budget that a checkpoint should be cut before its time. */
  readonly wantsCheckpoint: boolean
  /** Entries that can't leave memory yet exceed the budget: run no further slice before `relieved` resolves. */
  readonly full: boolean
  relieved(): Promise<void>
  /** Resolves when the checkpoint under way is published (at once when there is none); drives `step` itself. */
  settled(): Promise<void>
  /** The newest published checkpoint's seq, and the second newest's: journals and exchanges may be trimmed below the latter. */
  readonly published: {
    readonly newest: number
    readonly secondNewest: number
    /** When the newest one was cut, epoch ms; 0: there is none. */
    readonly at: number
    /** Of the files the newest one needs. */
    readonly bytes: number
  }
  /** What each store holds, in memory and below. */
  sizes(): readonly StoreSize[]
  /** Approximate. */
  readonly bytesInMemory: number
  close(): Promise<void>
}
