import { checksum } from '../../engine/block/checksum.ts'
import { StreamError } from '../../engine/errors.ts'
import type { CheckpointStore } from '../../engine/ports/checkpoint-store.ts'
import { KeyReader } from '../key-codec.ts'
import { blockHead, groupItem } from './blocks.ts'
import type { CheckpointFile } from './manifest.ts'
import { type Advance, RecordCursor, type RecordKind, recordKind } from './record.ts'

const readBytes = 1 << 18

/** Reads the records of a checkpoint file, block by block, each checked. Errors: CHECKPOINT_CORRUPT with file and position. */
export class FileCursor extends RecordCursor {
  private readonly files: CheckpointStore
  private readonly name: string
  private readonly fileBytes: number
  private readonly reader = new KeyReader()
  /** What was read and not parsed yet: window[windowAt...], from `position` - (what is left) of the file. */
  private window: Buffer = Buffer.alloc(0)
  private windowAt = 0
  private position = 0
  private blockEnd = 0
  private ended = false

  constructor(files: CheckpointStore, { name, bytes }: Pick<CheckpointFile, 'name' | 'bytes'>, age: number) {
    super(age)
    this.files = files
    this.name = name
    this.fileBytes = bytes
  }

  override advance(): Advance {
    const { reader } = this
    if (this.ended) return 'end'
    if (reader.at >= this.blockEnd && !this.nextBlock()) return 'load'
    let head = reader.bytes[reader.at++]!
    if (head === groupItem) {
      const length = this.varint()
      this.store = reader.bytes.utf8Slice(reader.at, reader.at + length)
      reader.at += length
      this.at = reader.key()
      head = reader.bytes[reader.at++]!
    }
    this.kind = head as RecordKind
    this.key = head === recordKind.clear ? undefined : reader.key()
    const length = head === recordKind.create || head === recordKind.replace ? this.varint() : 0
    this.bytes = reader.bytes
    this.from = reader.at
    reader.at += length
    this.to = reader.at
    return 'record'
  }

  /** Reads on until a whole block is there, or the end. */
  override async load(): Promise<void> {
    while (!this.hasBlock()) {
      const left = this.window.subarray(this.windowAt)
      // A damaged length must not make us ask for more than there is.
      const length = Math.min(Math.max(readBytes, this.missing()), this.fileBytes - this.position)
      const more = length === 0 ? new Uint8Array(0) : await this.files.read(this.name, this.position, length)
      if (more === null) throw this.fault('the file is missing')
      if (more.length === 0) {
        if (left.length > 0) throw this.fault('the file ends within a block')
        this.ended = true
        return
      }
      this.window = left.length === 0 ? Buffer.from(more.buffer, more.byteOffset, more.length) : Buffer.concat([left, more])
      this.windowAt = 0
      this.position += more.length
    }
  }

  private get left(): number {
    return this.window.length - this.windowAt
  }

  private hasBlock(): boolean {
    return this.missing() === 0
  }

  /** Bytes that are missing for the next block, as far as is known. */
  private missing(): number {
    if (this.left < blockHead) return blockHead - this.left
    return Math.max(0, blockHead + this.window.readUInt32BE(this.windowAt) - this.left)
  }

  /** @returns false if it is not loaded. */
  private nextBlock(): boolean {
    if (!this.hasBlock()) return false
    const from = this.windowAt + blockHead
    const to = from + this.window.readUInt32BE(this.windowAt)
    if (checksum(this.window, from, to) !== this.window.readUInt32BE(this.windowAt + 4))
      throw this.fault('a block does not match its checksum')
    this.reader.bytes = this.window
    this.reader.at = from
    this.blockEnd = to
    this.windowAt = to
    return true
  }

  private varint(): number {
    const { reader } = this
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = reader.bytes[reader.at++]!
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
  }

  private fault(reason: string): StreamError {
    return new StreamError('CHECKPOINT_CORRUPT', { file: this.name, position: this.position - this.left, reason })
  }
}
