import type { Key } from '../../engine/model/record.ts'

/** What a checkpoint file says of a key, or of a group. Part of the file format. */
export const recordKind = {
  /** The key is new: the checkpoint before does not have it. */
  create: 2,
  /** The key has another value. */
  replace: 3,
  /** The key is gone. */
  remove: 4,
  /** All keys of the group are gone, but for those that follow. Stands before them; has no key itself. */
  clear: 5,
} as const

export type RecordKind = (typeof recordKind)[keyof typeof recordKind]

/** Whether there is a record now, none any more, or `load` has to be called first. */
export type Advance = 'record' | 'end' | 'load'

/** Goes through records sorted by (store, at, key), a group's clear first. Fields are of the present record, until the next `advance`. */
export abstract class RecordCursor {
  /** Of two cursors the one with the higher age has the newer records. */
  readonly age: number
  store = ''
  at: Key = 0
  /** undefined: of a clear. */
  key: Key | undefined = undefined
  kind: RecordKind = recordKind.create
  /** The encoded value is bytes[from, to); empty for remove and clear. */
  bytes: Buffer = Buffer.alloc(0)
  from = 0
  to = 0

  constructor(age: number) {
    this.age = age
  }

  abstract advance(): Advance

  /** Brings what `advance` asked for. */
  async load(): Promise<void> {}
}
