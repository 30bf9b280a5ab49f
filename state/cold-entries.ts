import type { Key } from '../engine/model/record.ts'
import type { StateEntry } from './entry.ts'
import type { GroupContents } from './group-contents.ts'

/** Entries that are not in memory. */
export interface ColdEntries {
  /** Whether anything can be below at all. */
  readonly active: boolean
  /** Takes the entry into memory. @returns undefined if there is none. */
  warm(contents: GroupContents, key: Key): StateEntry | undefined
  /** All live keys of contents that are partly cold, those in memory too; in no order. */
  keys(contents: GroupContents): Key[]
  /** The contents of a group that is cold altogether; undefined if there is none. */
  contents(store: string, at: Key): GroupContents | undefined
}

/** All state is in memory. */
export const noColdEntries: ColdEntries = { active: false, warm: () => undefined, keys: () => [], contents: () => undefined }
