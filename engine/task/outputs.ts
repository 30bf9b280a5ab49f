import { BlockBuilder } from '../block/block-builder.ts'
import { BlockPool } from '../block/block-pool.ts'
import { hashNumbers } from './digest.ts'

/** A block a slice wrote. */
export interface OutputBlock {
  readonly topic: string
  readonly partition: number
  readonly count: number
  readonly block: Uint8Array
}

/** Output partitions of a task: one builder each, in the order the outputs are declared, so that digests don't depend on names. */
export class Outputs {
  private readonly topics: { readonly name: string; readonly builders: BlockBuilder[]; readonly countedOnly: boolean }[] = []

  private readonly pool = new BlockPool()

  /**
   * Builders by partition. The same topic gives the same builders.
   * @param countedOnly the digest has its records' count, not their content: for dead letters, whose error texts are the runtime's and change with it.
   */
  open(name: string, partitions: number, countedOnly = false): readonly BlockBuilder[] {
    const known = this.topics.find((topic) => topic.name === name)
    if (known !== undefined) return known.builders
    const builders = Array.from({ length: partitions }, () => new BlockBuilder())
    this.topics.push({ name, builders, countedOnly })
    return builders
  }

  /** Ends the slice: its blocks, and the digest of what is in them. */
  finish(): { readonly blocks: OutputBlock[]; readonly count: number; readonly digest: string } {
    const blocks: OutputBlock[] = []
    const digest: number[] = []
    let total = 0
    this.topics.forEach(({ name, builders, countedOnly }, ordinal) => {
      builders.forEach((builder, partition) => {
        if (builder.count === 0) return
        const block = builder.finish(this.pool)
        const contentChecksum = new DataView(block.buffer, block.byteOffset).getUint32(32, true)
        blocks.push({ topic: name, partition, count: builder.count, block })
        digest.push(ordinal, partition, builder.count, countedOnly ? 0 : contentChecksum)
        total += builder.count
        builder.reset()
      })
    })
    return { blocks, count: total, digest: hashNumbers(digest) }
  }

  /** Nobody uses these blocks any more. */
  recycle(blocks: readonly OutputBlock[]): void {
    for (const { block } of blocks) this.pool.giveBack(block)
  }
}
