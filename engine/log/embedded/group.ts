import { assert } from '../../assert.ts'
import { headBytes, magic } from '../../block/layout.ts'
import type { EpochMs, Offset } from '../../model/record.ts'
import type { Commit, Committed, ProducerEnd } from '../../ports/log.ts'
import { checkEnd, noEnd } from '../check-end.ts'
import type { Catalog, PartitionState, ProducerHold, ProducerState } from './catalog.ts'
import type { NamedEnd } from './frame.ts'
import type { PlacedBlock } from './frame-writer.ts'

/** A commit that waits for its group. */
export interface CommitRequest {
  readonly kind: 'commit'
  readonly producer: ProducerHold
  readonly commit: Commit
  readonly bytes: number
  readonly resolve: (committed: Committed) => void
  readonly reject: (error: unknown) => void
}

/**
 * Commits that go into one frame. Each is validated, in order, against the catalog and what those before it in the group bring about;
 * a refused one leaves no trace here.
 */
export class Group {
  readonly blocks: PlacedBlock[] = []
  readonly accepted: { readonly request: CommitRequest; readonly committed: Committed }[] = []
  bytes = 0
  private readonly catalog: Catalog
  private readonly appendTime: EpochMs
  private readonly stagedEnds = new Map<PartitionState, Offset>()
  private readonly stagedProducers = new Map<ProducerState, ProducerEnd>()

  constructor(catalog: Catalog, appendTime: EpochMs) {
    this.catalog = catalog
    this.appendTime = appendTime
  }

  /** Errors: COMMIT_FENCED, COMMIT_CONFLICT, TOPIC_UNKNOWN, a block that is none (assertion); then the group is as it was. */
  add(request: CommitRequest): void {
    const { commit } = request
    const producer = this.checkProducer(request)
    // All checks come BEFORE the first change.
    const targets = commit.appends.map(({ topic, partition, block }) => ({
      topic: this.catalog.topic(topic).info.id,
      state: this.catalog.partition(topic, partition),
      count: countOf(block),
    }))
    const baseOffsets = commit.appends.map(({ partition, block }, i) => {
      const { topic, state, count } = targets[i]!
      const baseOffset = this.stagedEnds.get(state) ?? state.end
      this.stagedEnds.set(state, baseOffset + count)
      this.blocks.push({ topic, partition, baseOffset, appendTime: this.appendTime, count, block })
      return baseOffset
    })
    this.stagedProducers.set(producer, commit.next)
    this.bytes += request.bytes
    this.accepted.push({ request, committed: { appendTime: this.appendTime, baseOffsets } })
  }

  ends(): NamedEnd[] {
    return [...this.stagedProducers].map(([{ number }, { seq, hash }]) => ({ producer: number, seq, hash }))
  }

  private checkProducer({ producer: hold, commit }: CommitRequest): ProducerState {
    const producer = this.catalog.heldProducer(hold)
    checkEnd(hold.name, commit.expect, this.endOf(producer))
    for (const { producer: name, end } of commit.others ?? []) checkEnd(name, end, this.endOf(this.catalog.producers.get(name)))
    return producer
  }

  /** With what those before in the group bring about. */
  private endOf(producer: ProducerState | undefined): ProducerEnd {
    return producer === undefined ? noEnd : (this.stagedProducers.get(producer) ?? producer.end)
  }
}

/** Records in an appended block. The block's checksums are checked by whoever reads it. */
function countOf(block: Uint8Array): number {
  const view = new DataView(block.buffer, block.byteOffset, block.length)
  const sound = block.length >= headBytes && view.getUint32(0, true) === block.length && view.getUint32(8, true) === magic
  const count = sound ? view.getUint32(12, true) : 0
  assert(count > 0, () => `an append of ${block.length} bytes is not a block with records`)
  return count
}
