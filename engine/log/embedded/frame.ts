import { checksum } from '../../block/checksum.ts'
import { pad8 } from '../../block/layout.ts'
import type { EpochMs, Offset } from '../../model/record.ts'

/**
 * A frame: the unit that is written and synced whole. Little-endian; begins at a multiple of 8, its length is one.
 *
 *     0  u32 magic 'RPF1'               32  f64 commit number (+1 from frame to frame)
 *     4  u32 head checksum [8, 64)      40  f64 append time
 *     8  u32 length (whole frame)       48  u32 blocks
 *    12  u16 format, u8 kind, u8 0      52  u32 bytes of producer ends
 *    16  u64 log id                     56  u32 bytes of detail
 *    24  u32 file number                60  u32 directory checksum [64, body)
 *    28  u32 position in the file
 *    64  directory:
 *        blocks x { u32 topic, u32 partition, f64 base offset, f64 append time, u32 length, u32 head checksum of the block, u32 count, u32 place }
 *        producer ends: { u32 producer, u32 bytes of hash, f64 seq, hash, zeros up to a multiple of 8 }
 *        detail: JSON (state of a head, operation of an edit)
 *        zeros up to a multiple of 8
 *  body  the blocks, one behind the other; of an index none: `place` says where each stands in the log file it is about (else 0)
 *
 * Every byte is covered without a second pass over the records: the head by its checksum, the directory by the one in the head, each
 * block's head by the directory, its content by the block's head. A frame names its own place, so that old bytes are never taken for it.
 */
export const frameFormat = 1
export const frameHeadBytes = 64
export const entryBytes = 40
const frameMagic = 0x31465052

export const frameKind = { head: 1, commit: 2, edit: 3, quiet: 4, segment: 5, index: 6 } as const
export type FrameKind = (typeof frameKind)[keyof typeof frameKind]

/** Random, chosen when a log is created. */
export type LogId = bigint

export interface FramePlace {
  readonly logId: LogId
  readonly file: number
  readonly position: number
}

export interface FrameHead extends FramePlace {
  readonly length: number
  readonly format: number
  readonly kind: number
  readonly commitNumber: number
  readonly appendTime: EpochMs
  readonly blocks: number
  readonly endsBytes: number
  readonly detailBytes: number
  readonly directoryChecksum: number
}

/** A block on its way into a frame, or found in one: then `position` is where it begins in the file. */
export interface BlockEntry {
  readonly topic: number
  readonly partition: number
  readonly baseOffset: Offset
  readonly count: number
  readonly appendTime: EpochMs
  readonly length: number
  readonly check: number
  readonly position: number
}

export interface NamedEnd {
  readonly producer: number
  readonly seq: number
  readonly hash: string
}

/** Bytes from the frame's beginning to its first block. */
export function bodyOffset(head: Pick<FrameHead, 'blocks' | 'endsBytes' | 'detailBytes'>): number {
  return pad8(frameHeadBytes + head.blocks * entryBytes + head.endsBytes + head.detailBytes)
}

/** @returns the frame head at `at`, or undefined when there is none that verifies. Reads 64 bytes. */
export function readFrameHead(bytes: Buffer, at: number): FrameHead | undefined {
  if (at + frameHeadBytes > bytes.length || bytes.readUInt32LE(at) !== frameMagic) return undefined
  if (checksum(bytes, at + 8, at + frameHeadBytes) !== bytes.readUInt32LE(at + 4)) return undefined
  return {
    length: bytes.readUInt32LE(at + 8),
    format: bytes.readUInt16LE(at + 12),
    kind: bytes[at + 14]!,
    logId: bytes.readBigUInt64LE(at + 16),
    file: bytes.readUInt32LE(at + 24),
    position: bytes.readUInt32LE(at + 28),
    commitNumber: bytes.readDoubleLE(at + 32),
    appendTime: bytes.readDoubleLE(at + 40),
    blocks: bytes.readUInt32LE(at + 48),
    endsBytes: bytes.readUInt32LE(at + 52),
    detailBytes: bytes.readUInt32LE(at + 56),
    directoryChecksum: bytes.readUInt32LE(at + 60),
  }
}

/** Writes the frame head at `at`, over a directory that stands already behind it: the checksums are made here. */
export function writeFrameHead(bytes: Buffer, at: number, head: Omit<FrameHead, 'directoryChecksum' | 'format'>): void {
  bytes.writeUInt32LE(frameMagic, at)
  bytes.writeUInt32LE(head.length, at + 8)
  bytes.writeUInt32LE(frameFormat | (head.kind << 16), at + 12)
  bytes.writeBigUInt64LE(head.logId, at + 16)
  bytes.writeUInt32LE(head.file, at + 24)
  bytes.writeUInt32LE(head.position, at + 28)
  bytes.writeDoubleLE(head.commitNumber, at + 32)
  bytes.writeDoubleLE(head.appendTime, at + 40)
  bytes.writeUInt32LE(head.blocks, at + 48)
  bytes.writeUInt32LE(head.endsBytes, at + 52)
  bytes.writeUInt32LE(head.detailBytes, at + 56)
  bytes.writeUInt32LE(checksum(bytes, at + frameHeadBytes, at + bodyOffset(head)), at + 60)
  bytes.writeUInt32LE(checksum(bytes, at + 8, at + frameHeadBytes), at + 4)
}

/** @param place see the layout above. */
export function writeEntry(bytes: Buffer, at: number, entry: Omit<BlockEntry, 'position'>, place = 0): void {
  bytes.writeUInt32LE(entry.topic, at)
  bytes.writeUInt32LE(entry.partition, at + 4)
  bytes.writeDoubleLE(entry.baseOffset, at + 8)
  bytes.writeDoubleLE(entry.appendTime, at + 16)
  bytes.writeUInt32LE(entry.length, at + 24)
  bytes.writeUInt32LE(entry.check, at + 28)
  bytes.writeUInt32LE(entry.count, at + 32)
  bytes.writeUInt32LE(place, at + 36)
}

/** The blocks of the frame at `at`, in order. */
export function readEntries(bytes: Buffer, at: number, head: FrameHead): BlockEntry[] {
  const entries: BlockEntry[] = []
  let position = head.position + bodyOffset(head)
  for (let i = 0, p = at + frameHeadBytes; i < head.blocks; i++, p += entryBytes) {
    const length = bytes.readUInt32LE(p + 24)
    entries.push({
      topic: bytes.readUInt32LE(p),
      partition: bytes.readUInt32LE(p + 4),
      baseOffset: bytes.readDoubleLE(p + 8),
      appendTime: bytes.readDoubleLE(p + 16),
      length,
      check: bytes.readUInt32LE(p + 28),
      count: bytes.readUInt32LE(p + 32),
      position: head.kind === frameKind.index ? bytes.readUInt32LE(p + 36) : position,
    })
    position += length
  }
  return entries
}

export function endBytes(hash: string): number {
  return pad8(16 + Buffer.byteLength(hash))
}

/** @returns where the next one begins. Expects zeros at `at`. */
export function writeEnd(bytes: Buffer, at: number, end: NamedEnd): number {
  const written = bytes.utf8Write(end.hash, at + 16)
  bytes.writeUInt32LE(end.producer, at)
  bytes.writeUInt32LE(written, at + 4)
  bytes.writeDoubleLE(end.seq, at + 8)
  return at + pad8(16 + written)
}

export function readEnds(bytes: Buffer, at: number, head: FrameHead): NamedEnd[] {
  const ends: NamedEnd[] = []
  let p = at + frameHeadBytes + head.blocks * entryBytes
  for (const stop = p + head.endsBytes; p < stop; ) {
    const hashBytes = bytes.readUInt32LE(p + 4)
    const hash = bytes.utf8Slice(p + 16, p + 16 + hashBytes)
    ends.push({ producer: bytes.readUInt32LE(p), seq: bytes.readDoubleLE(p + 8), hash })
    p += pad8(16 + hashBytes)
  }
  return ends
}

/** The JSON of a head or an edit. */
export function readDetail(bytes: Buffer, at: number, head: FrameHead): unknown {
  const from = at + frameHeadBytes + head.blocks * entryBytes + head.endsBytes
  return JSON.parse(bytes.utf8Slice(from, from + head.detailBytes))
}
