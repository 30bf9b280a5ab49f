import type { ByteSink } from '../block/byte-sink.ts'
import type { ErrorCode } from '../errors.ts'

/** Why one record could not be decoded. `path` names the field, `$` the whole record. */
export interface BadRecord {
  readonly code: ErrorCode
  readonly path: string
  readonly message: string
}

/**
 * Bytes to values and back, for one topic.
 * Law: the verdict and the value are the same for the same bytes, whatever came before (learned shapes only change speed).
 */
export interface Codec<T> {
  readonly name: string
  /**
   * Decodes `count` values. Value i is the bytes [ends[i-1], ends[i]) of `bytes` (the first begins at `start`),
   * positions being absolute in `bytes`; at least 16 readable bytes follow the last one. Result i goes to out[at + i].
   * @returns the bad ones by i (then out[at + i] is undefined), or undefined when all are good.
   */
  decode(bytes: Buffer, view: DataView, start: number, ends: Uint32Array, endsAt: number, count: number, base: number, out: (T | undefined)[], at: number): Map<number, BadRecord> | undefined
  /** Writes the bytes of one value. Throws StreamError OUTPUT_INVALID (details: path, message) and leaves `out.at` as it was. */
  encode(value: T, out: ByteSink): void
}
