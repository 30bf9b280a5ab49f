import { createHash } from 'node:crypto'
import { ByteSink } from '../block/byte-sink.ts'
import type { NewRecord } from '../model/record.ts'

const gatheredBytes = 1 << 16

/** A digest over records in their order and the partitions they go to; how they were gathered into blocks does not matter. */
export class RecordDigest {
  private readonly hash = createHash('sha256')
  private readonly gathered = new ByteSink(gatheredBytes)

  constructor(topic: string) {
    this.bytes(Buffer.from(topic))
  }

  add({ key, value, eventTime, headers = [] }: NewRecord, partition: number): void {
    const out = this.gathered
    out.need(16)
    out.view.setFloat64(out.at, eventTime, true)
    out.view.setUint32(out.at + 8, partition, true)
    out.view.setUint32(out.at + 12, headers.length, true)
    out.at += 16
    this.bytes(key)
    this.bytes(value)
    for (const header of headers) {
      this.bytes(Buffer.from(header.name))
      this.bytes(header.value)
    }
    if (out.at >= gatheredBytes) this.flush()
  }

  /** Hex, over all added so far. */
  value(): string {
    this.flush()
    return this.hash.copy().digest('hex')
  }

  /** With their length before them, so that no two sequences of fields look alike. */
  private bytes(bytes: Uint8Array | null): void {
    const out = this.gathered
    out.need(4)
    out.view.setUint32(out.at, bytes === null ? 0xffffffff : bytes.length, true)
    out.at += 4
    if (bytes !== null) out.bytes(bytes)
  }

  private flush(): void {
    const out = this.gathered
    this.hash.update(out.buf.subarray(0, out.at))
    out.reset()
  }
}
