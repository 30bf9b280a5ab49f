import type { BlockView } from '../../block/block-view.ts'
import type { FileSystem } from '../../ports/file-system.ts'
import type { Clock } from '../../ports/world.ts'
import { type BlockGroup, type BlockStretch, groupBlocks } from './block-groups.ts'
import { type BlockSource, fileSource, wholeLogSource } from './block-source.ts'
import type { BlockTable } from './block-table.ts'
import type { BufferPool } from './buffer-pool.ts'
import type { Catalog } from './catalog.ts'
import { logFileName } from './file-names.ts'
import type { LogId } from './frame.ts'
import { joinBlocks } from './join-blocks.ts'
import { KeptBuffer } from './kept-buffer.ts'
import type { OpenFiles } from './open-files.ts'
import { blocksFileName, type SegmentInfo } from './operation.ts'
import type { Extent } from './partition-index.ts'
import type { LogProbe } from './probe-points.ts'
import { partitionKey, type SegmentDirectories } from './segment-directory.ts'
import { SegmentWriter } from './segment-writer.ts'
import type { EmbeddedLogSettings } from './settings.ts'
import type { StayingBlocks } from './staying-blocks.ts'
import { verifySegment } from './verify-segment.ts'

/** Blocks of a log file that are this part of a joined one on average are read one by one: a call each costs little beside their bytes. */
const largePart = 1 / 16

export interface RewriteParts {
  readonly fs: FileSystem
  readonly catalog: Catalog
  readonly logId: LogId
  readonly files: OpenFiles
  readonly directories: SegmentDirectories
  readonly pool: BufferPool
  readonly memory: RewriteMemory
  readonly clock: Clock
  readonly probe: LogProbe
  readonly settings: EmbeddedLogSettings
  /** Lets who commits go on, as long as is due for the work since it was called last. To be called every millisecond or so. */
  rest(): Promise<void>
}

/** What a rewrite holds at a time; there is one rewrite at a time. */
export class RewriteMemory {
  readonly file = new KeptBuffer()
  readonly joined = new KeptBuffer()
  readonly block = new KeptBuffer()

  /** Drops what was not used since the last such call. */
  letGo(): void {
    for (const memory of [this.file, this.joined, this.block]) memory.letGo()
  }
}

/** One block of a segment to be: from a group of blocks, or (after compaction) ready made. */
export interface PlannedBlock {
  /** Bytes it has at most. */
  readonly bytes: number
  /** Hands the block, stamped, to `take`; its bytes may be used until that is done. */
  make(take: (block: Buffer) => Promise<void>): Promise<void>
}

/** A stretch of one partition that goes into a new file: its blocks in offset order. No other file has offsets in between. */
export interface PartitionBlocks {
  readonly topic: number
  readonly partition: number
  readonly blocks: readonly PlannedBlock[]
}

/** What the files hold that is still wanted, stretch by stretch, joined where small; without what stays where it is. */
export async function contentOf(parts: RewriteParts, numbers: readonly number[], stays?: StayingBlocks): Promise<PartitionBlocks[]> {
  const content: PartitionBlocks[] = []
  for (const { topic, partition, stretches } of await stretchesOf(parts, numbers)) {
    if (stays?.partitions.some((one) => one.topic === topic && one.partition === partition)) continue
    const blocks: PlannedBlock[] = []
    for (const group of groupBlocks(stretches, parts.settings.joinedBlockBytes)) {
      blocks.push(planGroup(parts, group))
      await parts.rest()
    }
    if (blocks.length > 0) content.push({ topic, partition, blocks })
  }
  return content
}

export interface PartitionStretches {
  readonly topic: number
  readonly partition: number
  /** Neighbours in the partition. */
  readonly stretches: readonly BlockStretch[]
}

export async function stretchesOf(parts: RewriteParts, numbers: readonly number[]): Promise<PartitionStretches[]> {
  const sources = new Map<number, BlockSource>()
  for (const number of numbers) sources.set(number, await sourceOf(parts, number))
  const found: PartitionStretches[] = []
  for (const [topic, { partitions }] of parts.catalog.topics) {
    for (const [partition, { index, start }] of partitions.entries()) {
      for (const run of neighbours(index.all(), sources)) {
        const stretches: BlockStretch[] = []
        for (const { file, from, to, table } of run) {
          const blocks = table ?? (await tableOf(parts, file, topic, partition))
          stretches.push({ source: sources.get(file)!, table: blocks, from: Math.max(from, start), to })
        }
        found.push({ topic, partition, stretches })
      }
    }
  }
  return found
}

/** Runs of extents that lie in the files, with none in another file between. */
function neighbours(extents: readonly Extent[], files: ReadonlyMap<number, unknown>): Extent[][] {
  const runs: Extent[][] = []
  let before = false
  for (const extent of extents) {
    const taken = files.has(extent.file)
    if (taken && before) runs.at(-1)!.push(extent)
    else if (taken) runs.push([extent])
    before = taken
  }
  return runs
}

/**
 * Writes new segments: one for what stays, one for each partition with much in it, one for all the others. Durable and read back when it
 * resolves, but no part of the log until an edit lists them.
 */
export async function writeSegments(
  parts: RewriteParts,
  content: readonly PartitionBlocks[],
  stays?: StayingBlocks,
): Promise<SegmentInfo[]> {
  const { settings, fs, probe } = parts
  const large = (one: PartitionBlocks) => one.blocks.reduce((sum, { bytes }) => sum + bytes, 0) >= settings.ownSegmentBytesMin
  const small = content.filter((one) => !large(one))
  const segments: SegmentInfo[] = []
  if (stays) segments.push(await writeIndex(parts, stays))
  for (const one of content.filter(large)) segments.push(await writeSegment(parts, [one], false))
  if (small.length > 0) segments.push(await writeSegment(parts, small, true))
  if (segments.length === 0) return segments
  await fs.syncDirectory()
  probe.at('log.rewrite.after-directory')
  for (const { number } of segments) await verifySegment(fs, number, parts.logId, parts.memory.block)
  return segments
}

function writeSegment(parts: RewriteParts, content: readonly PartitionBlocks[], mixed: boolean): Promise<SegmentInfo> {
  const count = content.reduce((sum, { blocks }) => sum + blocks.length, 0)
  return writeFile(parts, count, { mixed }, async (writer) => {
    for (const { topic, partition, blocks } of content) {
      writer.beginRange()
      for (const planned of blocks) {
        await planned.make((block) => writer.add(topic, partition, block))
        await parts.rest()
      }
    }
  })
}

function writeIndex(parts: RewriteParts, { log, partitions }: StayingBlocks): Promise<SegmentInfo> {
  const count = partitions.reduce((sum, { from, to }) => sum + to - from, 0)
  return writeFile(parts, count, { mixed: false, blocksIn: log }, async (writer) => {
    for (const { topic, partition, table, from, to } of partitions) {
      writer.beginRange()
      for (let i = from; i < to; i++) writer.addStaying({ topic, partition, ...table.entry(i) })
    }
    parts.probe.at('log.rewrite.after-index')
  })
}

async function writeFile(
  { fs, catalog, logId, probe }: RewriteParts,
  blocks: number,
  kind: Pick<SegmentInfo, 'mixed' | 'blocksIn'>,
  fill: (writer: SegmentWriter) => Promise<void>,
): Promise<SegmentInfo> {
  probe.at('log.rewrite.before-create')
  const writer = await SegmentWriter.create(fs, logId, catalog.nextFile++, blocks)
  try {
    await fill(writer)
    const segment = await writer.finish(catalog.commitNumber, kind)
    probe.at('log.rewrite.after-write')
    await writer.sync()
    probe.at('log.rewrite.after-sync')
    return segment
  } finally {
    await writer.close()
  }
}

async function sourceOf(parts: RewriteParts, number: number): Promise<BlockSource> {
  const { fs, catalog, files, pool, memory, settings } = parts
  const log = catalog.logs.get(number)
  if (log === undefined) return fileSource(files, pool, blocksFileName(catalog.segments.get(number)!))
  return log.end / blocksIn(catalog, number) >= settings.joinedBlockBytes * largePart
    ? fileSource(files, pool, logFileName(number))
    : wholeLogSource(fs, number, { limit: log.end, room: (bytes) => memory.file.take(bytes), rest: () => parts.rest() })
}

function blocksIn({ topics }: Catalog, log: number): number {
  let blocks = 0
  for (const { partitions } of topics.values())
    for (const { index } of partitions) for (const { file, table } of index.all()) if (file === log) blocks += table!.count
  return blocks
}

async function tableOf({ directories }: RewriteParts, file: number, topic: number, partition: number): Promise<BlockTable> {
  return (await directories.get(file)).get(partitionKey(topic, partition))!
}

/** The blocks of a group as one. */
export function planGroup({ memory }: Pick<RewriteParts, 'memory'>, group: BlockGroup): PlannedBlock {
  const room = (bytes: number) => memory.joined.take(bytes)
  return {
    bytes: group.bytes,
    make: (take) => readGroup(group, (blocks) => take(blocks.length === 1 ? bytesOf(blocks[0]!) : joinBlocks(blocks, room))),
  }
}

/** Reads the blocks of a group; the views end when `work` is done. */
export async function readGroup<T>({ ranges }: BlockGroup, work: (blocks: readonly BlockView[]) => T | Promise<T>): Promise<T> {
  const read = await Promise.all(ranges.map((range) => range.source.read(range)))
  try {
    return await work(read.flatMap(({ blocks }) => blocks))
  } finally {
    for (const { release } of read) release()
  }
}

function bytesOf({ chunk, at, length }: BlockView): Buffer {
  return chunk.bytes.subarray(at, at + length)
}
