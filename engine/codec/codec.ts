import type { ByteSink } from '../block/byte-sink.ts'
import type { ErrorCode } from '../errors.ts'

/** Why one record could not be decoded. `path` names the field (`items[2].price`), `$` the whole record. */
export interface BadRecord {
  readonly code: ErrorCode
  readonly path: string
  readonly message: string
}

/**
 * Bytes to values and back, for one topic.
 * Law: verdict and value depend on the bytes alone; what a codec learns from earlier records only changes its speed.
 */
export interface Codec<T> {
  readonly name: string
  /** Why this codec can not encode, where it can not: a job must not use it for an output. */
  readonly decodeOnly?: string
  /**
   * Decodes the values `from` <= i < `to` of a block into out[at], out[at + 1] ...
   * Value i is bytes[base + (i === 0 ? 0 : ends[endsAt + i - 1]), base + ends[endsAt + i]).
   * At least 16 readable bytes follow the last value; they are not part of it. The bytes may be reused once this returns.
   * @returns the bad ones by i (out is undefined there), or undefined when all are good. Never throws for bad bytes.
   */
  decode(
    bytes: Buffer,
    view: DataView,
    base: number,
    ends: Uint32Array,
    endsAt: number,
    from: number,
    to: number,
    out: unknown[],
    at: number,
  ): Map<number, BadRecord> | undefined
  /** Writes one value at out.at. Throws StreamError OUTPUT_INVALID (details: path, message) and leaves out.at as it was. */
  encode(value: T, out: ByteSink): void
}
