import type * as z from 'zod/v4/core'
import type { ByteSink } from '../block/byte-sink.ts'
import type { Codec } from './codec.ts'
import { compileDecoder, type TierCounts } from './json/decoder.ts'
import { compileEncoder } from './json/encoder.ts'

export interface JsonCodec<T> extends Codec<T> {
  readonly schema: z.$ZodType
  /** What the decoder's tiers did so far; only for tests and measurements. */
  readonly counts: Readonly<TierCounts>
}

/**
 * JSON records of a zod schema (zod 4, also zod/mini). Values are what the schema gives (z.output), in both directions.
 *
 * Decoding gives exactly what `schema.safeParse(JSON.parse(text))` gives, where text is the bytes as UTF-8 with replacement characters:
 * RECORD_MALFORMED when it is not JSON, RECORD_SCHEMA_MISMATCH with the field's path when the schema refuses it.
 * Undeclared keys are checked as JSON and dropped. Encoding writes the declared fields in the schema's order, as JSON.stringify would;
 * OUTPUT_INVALID when the schema or JSON has no place for the value. A schema with a transform is decode-only (JOB_INVALID).
 *
 * Plain objects of numbers, strings, booleans and enums are compiled: some 4 to 7 times the speed of JSON.parse alone (bench/codec.ts).
 * Other kinds of fields go through zod one by one, other schemas as a whole. Refinements, transforms and defaults must be pure: they may run twice for one record.
 */
export function json<S extends z.$ZodType>(schema: S): JsonCodec<z.output<S>> {
  const { decode, counts } = compileDecoder(schema)
  const { encode, decodeOnly } = compileEncoder(schema)
  return {
    name: 'json',
    schema,
    counts,
    decode,
    encode: encode as (value: z.output<S>, out: ByteSink) => void,
    ...(decodeOnly === undefined ? {} : { decodeOnly }),
  }
}
