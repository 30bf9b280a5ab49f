import type { BlockView } from '../block/block-view.ts'
import type { EpochMs, Header, Key } from '../model/record.ts'
import { type Moment, rankOf } from './operator.ts'

const noHeaders = (): readonly Header[] => []

/**
 * The task's one Moment. What is seldom asked for (a source record's key, its rank, its headers) is read from its block on demand.
 * Invariant: while `block` is set, `index` is the record at hand in it and the chunk is not released.
 */
export class TaskMoment implements Moment {
  eventTime: EpochMs = 0
  stamp: EpochMs = Number.NEGATIVE_INFINITY
  appendTime: EpochMs = 0
  topic = ''
  partition = 0
  offset = 0
  retract = false
  headers: () => readonly Header[] = noHeaders
  private ownKey: Key | undefined = undefined
  private keyRead = true
  private ownRank = 0
  private rankKnown = true
  private source = 0
  private block: BlockView | undefined = undefined
  /** The record's place in its block. */
  index = 0
  private readonly readHeaders = () => this.block?.headers(this.index) ?? []

  /** The block that has the record's own key at `index`, while nobody has asked for the key or set another; undefined when there is none. */
  get keyBlock(): BlockView | undefined {
    const { block } = this
    return this.keyRead || block === undefined || block.keyIsNull(this.index) ? undefined : block
  }

  get key(): Key | undefined {
    if (!this.keyRead) {
      const bytes = this.block!.key(this.index)
      this.ownKey = bytes === null ? undefined : bytes.utf8Slice(0, bytes.length)
      this.keyRead = true
    }
    return this.ownKey
  }

  set key(key: Key | undefined) {
    this.ownKey = key
    this.keyRead = true
  }

  get rank(): number {
    if (!this.rankKnown) {
      this.ownRank = rankOf(this.source, this.partition, this.offset)
      this.rankKnown = true
    }
    return this.ownRank
  }

  set rank(rank: number) {
    this.ownRank = rank
    this.rankKnown = true
  }

  /** Points at record `index` of a source partition's block; the plain fields are set by the caller. */
  atRecord(source: number, block: BlockView, index: number): void {
    this.source = source
    this.block = block
    this.index = index
    this.keyRead = false
    this.rankKnown = false
    this.retract = false
    this.headers = this.readHeaders
  }

  /** Hands `value` on under another key; the record's own comes back afterwards without having been read. */
  withKey(key: Key, next: (value: unknown) => void, value: unknown): void {
    const { ownKey, keyRead } = this
    this.key = key
    next(value)
    this.ownKey = ownKey
    this.keyRead = keyRead
  }

  /** Nothing is at hand: results by time set what they have. Nothing of the last record may show through: a re-run may not have seen it. */
  atTime(appendTime: EpochMs): void {
    this.eventTime = 0
    this.stamp = Number.NEGATIVE_INFINITY
    this.appendTime = appendTime
    this.block = undefined
    this.keyRead = true
    this.ownKey = undefined
    this.rankKnown = true
    this.ownRank = 0
    this.topic = ''
    this.partition = 0
    this.offset = -1
    this.retract = false
    this.headers = noHeaders
  }

  /** The source record's bytes, where there is one. */
  get record(): { readonly block: BlockView; readonly index: number } | undefined {
    return this.block === undefined ? undefined : { block: this.block, index: this.index }
  }
}
