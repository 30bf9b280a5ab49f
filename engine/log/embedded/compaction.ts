import { BlockBuilder } from '../../block/block-builder.ts'
import { BlockView, stampBlock, viewsOf } from '../../block/block-view.ts'
import type { EpochMs, Offset } from '../../model/record.ts'
import { type BlockGroup, groupBlocks } from './block-groups.ts'
import { contentOf, type PartitionBlocks, type PlannedBlock, planGroup, type RewriteParts, readGroup, stretchesOf } from './file-rewrite.ts'
import { joinBlocks } from './join-blocks.ts'

export interface CompactionTarget {
  readonly topic: number
  /** By partition: records from here on stay as they are. */
  readonly pinned: readonly Offset[]
}

/** What a file holds after compaction. */
export interface CompactedFile {
  readonly file: number
  readonly content: readonly PartitionBlocks[]
}

/**
 * For each file in which a key of the topic has an older value below the pin: its content without those. Records without a key stay,
 * and so does the last tombstone of a key, so that a reader who has an older value learns that it is gone.
 * Memory: the keys of one partition.
 */
export async function* compactedContent(parts: RewriteParts, { topic, pinned }: CompactionTarget): AsyncGenerator<CompactedFile, void> {
  for (const [partition, pin] of pinned.entries()) {
    const index = parts.catalog.topics.get(topic)?.partitions[partition]?.index
    // What is still in a log file is not looked at: it can only supersede more.
    const files = new Set(index?.all().flatMap(({ file }) => (parts.catalog.segments.has(file) ? [file] : [])))
    const last = await lastOffsets(parts, files, topic, partition)
    for (const file of files) {
      const kept = await keptOf(
        parts,
        file,
        topic,
        partition,
        (key, offset) => offset >= pin || key === undefined || last.get(key) === offset,
      )
      if (kept === undefined) continue
      const others = (await contentOf(parts, [file])).filter((one) => one.topic !== topic || one.partition !== partition)
      yield { file, content: [...others, ...kept] }
    }
  }
}

async function groupsOf(parts: RewriteParts, files: Iterable<number>, topic: number, partition: number): Promise<BlockGroup[][]> {
  const all = await stretchesOf(parts, [...files])
  const mine = all.filter((one) => one.topic === topic && one.partition === partition)
  return mine.map(({ stretches }) => [...groupBlocks(stretches, parts.settings.joinedBlockBytes)])
}

async function lastOffsets(parts: RewriteParts, files: Iterable<number>, topic: number, partition: number): Promise<Map<string, Offset>> {
  const last = new Map<string, Offset>()
  for (const group of (await groupsOf(parts, files, topic, partition)).flat()) {
    await readGroup(group, (blocks) => {
      for (const block of blocks) {
        for (let i = 0; i < block.count; i++) {
          const key = keyOf(block, i)
          if (key !== undefined) last.set(key, block.baseOffset + i)
        }
      }
    })
    await parts.clock.yield()
  }
  return last
}

type Keep = (key: string | undefined, offset: Offset) => boolean

/** @returns undefined when nothing of the file goes. */
async function keptOf(
  parts: RewriteParts,
  file: number,
  topic: number,
  partition: number,
  keep: Keep,
): Promise<PartitionBlocks[] | undefined> {
  let removed = false
  const content: PartitionBlocks[] = []
  for (const groups of await groupsOf(parts, [file], topic, partition)) {
    const blocks: PlannedBlock[] = []
    for (const group of groups) {
      const kept = await readGroup(group, (views) => {
        if (!views.some((view) => hasRemoved(view, keep))) return undefined
        return runsOf(views, keep).map((run) =>
          run.length === 1 ? run[0]! : joinBlocks(run.map((bytes) => new BlockView(chunkOf(bytes), 0))),
        )
      })
      await parts.clock.yield()
      if (kept) removed = true
      blocks.push(...(kept ? kept.map(ready) : [planGroup(parts, group)]))
    }
    if (blocks.length > 0) content.push({ topic, partition, blocks })
  }
  return removed ? content : undefined
}

function hasRemoved(block: BlockView, keep: Keep): boolean {
  for (let i = 0; i < block.count; i++) if (!keep(keyOf(block, i), block.baseOffset + i)) return true
  return false
}

/** Records that stay, as blocks: a block is of one append time, and blocks of one run have no gaps between their offsets. */
function runsOf(views: readonly BlockView[], keep: Keep): Buffer[][] {
  const runs: Buffer[][] = []
  const builder = new BlockBuilder()
  let next: Offset | undefined
  let blockAt: Offset = 0
  let blockTime: EpochMs = 0
  const closeBlock = () => {
    if (builder.count === 0) return
    const block = Buffer.from(builder.finish())
    stampBlock(block, 0, blockAt, blockTime)
    runs.at(-1)!.push(block)
    builder.reset()
  }
  for (const view of views) {
    let i = 0
    for (const { count, appendTime } of view.originals()) {
      for (const end = i + count; i < end; i++) {
        const offset = view.baseOffset + i
        if (!keep(keyOf(view, i), offset)) continue
        if (offset !== next || appendTime !== blockTime || builder.count === 0) {
          closeBlock()
          if (offset !== next) runs.push([])
          blockAt = offset
          blockTime = appendTime
        }
        builder.add({ key: view.key(i), value: view.value(i), eventTime: view.eventTime(i), headers: view.headers(i) })
        next = offset + 1
      }
    }
  }
  closeBlock()
  return runs
}

function keyOf(block: BlockView, i: number): string | undefined {
  return block.key(i)?.latin1Slice()
}

const chunkOf = (bytes: Buffer) => ({ ...viewsOf(bytes), blocks: [0], release() {} })

const ready = (block: Buffer): PlannedBlock => ({ bytes: block.length, make: (take) => take(block) })
