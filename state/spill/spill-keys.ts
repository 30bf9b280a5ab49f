import { ByteSink } from '../../engine/block/byte-sink.ts'
import type { Key } from '../../engine/model/record.ts'
import { writeKeyBytes } from '../key-codec.ts'

/** First byte of a key. Clearing goes in order: batch marks go first, so that a clear that came half way is seen by them. */
const prefix = { batch: 0x62, directory: 0x64, entry: 0x65, header: 0x68, chunk: 0x6b } as const

export const headerKey: Uint8Array = Buffer.from([prefix.header])

/** Keys of the spill store. Those for `get` are valid until the next one is made; `copy` them for a batch. */
export class SpillKeys {
  private readonly out = new ByteSink(256)

  batch(number: number): Uint8Array {
    this.begin(prefix.batch)
    writeKeyBytes(number, this.out)
    return this.end()
  }

  entry(store: string, at: Key, key: Key): Uint8Array {
    this.group(prefix.entry, store, at)
    writeKeyBytes(key, this.out)
    return this.end()
  }

  directory(store: string, at: Key): Uint8Array {
    this.group(prefix.directory, store, at)
    return this.end()
  }

  chunk(store: string, at: Key, run: number, chunk: number): Uint8Array {
    this.group(prefix.chunk, store, at)
    writeKeyBytes(run, this.out)
    writeKeyBytes(chunk, this.out)
    return this.end()
  }

  private group(first: number, store: string, at: Key): void {
    this.begin(first)
    writeKeyBytes(store, this.out)
    writeKeyBytes(at, this.out)
  }

  private begin(first: number): void {
    this.out.reset()
    this.out.need(1)
    this.out.buf[this.out.at++] = first
  }

  private end(): Uint8Array {
    return this.out.buf.subarray(0, this.out.at)
  }
}

export function copy(bytes: Uint8Array): Uint8Array {
  return Uint8Array.prototype.slice.call(bytes)
}
