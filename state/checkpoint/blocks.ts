import { ByteSink } from '../../engine/block/byte-sink.ts'
import { checksum } from '../../engine/block/checksum.ts'
import { writeVarint } from '../../engine/codec/value/varint.ts'
import type { Key } from '../../engine/model/record.ts'
import { writeKeyBytes } from '../key-codec.ts'
import { type RecordCursor, recordKind } from './record.ts'

/**
 * A checkpoint file is blocks one after the other, each complete in itself:
 *
 *     u32 length of the payload | u32 CRC-32 of it | payload
 *     payload: items; first byte 1: a group follows (varint length of the store's name, name, key bytes of `at`);
 *              else a record kind: key bytes (not for clear), for create and replace varint length and value
 */
export const blockHead = 8
export const groupItem = 1
export const formatVersion = 1
const blockBytes = 1 << 16

/** Packs records into blocks. */
export class BlockWriter {
  private readonly out = new ByteSink(blockBytes + (blockBytes >> 2))
  private store: string | undefined = undefined
  private at: Key = 0
  /** Records written so far, over all blocks. */
  records = 0

  constructor() {
    this.out.at = blockHead
  }

  get full(): boolean {
    return this.out.at >= blockBytes
  }

  get empty(): boolean {
    return this.out.at === blockHead
  }

  add(record: RecordCursor): void {
    const { out } = this
    const { kind } = record
    if (record.store !== this.store || record.at !== this.at) this.beginGroup(record)
    out.need(1)
    out.buf[out.at++] = kind
    if (record.key !== undefined) writeKeyBytes(record.key, out)
    if (kind === recordKind.create || kind === recordKind.replace) {
      const length = record.to - record.from
      out.need(length + 5)
      writeVarint(length, out)
      record.bytes.copy(out.buf, out.at, record.from, record.to)
      out.at += length
    }
    this.records++
  }

  /** The block so far; the next one begins. */
  take(): Buffer {
    const { out } = this
    out.view.setUint32(0, out.at - blockHead)
    out.view.setUint32(4, checksum(out.buf, blockHead, out.at))
    const block = Buffer.from(out.buf.subarray(0, out.at))
    out.at = blockHead
    this.store = undefined
    return block
  }

  private beginGroup(record: RecordCursor): void {
    const { out } = this
    this.store = record.store
    this.at = record.at
    const name = Buffer.from(record.store)
    out.need(name.length + 6)
    out.buf[out.at++] = groupItem
    writeVarint(name.length, out)
    out.bytes(name)
    writeKeyBytes(record.at, out)
  }
}
