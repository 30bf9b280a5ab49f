/**
 * The codecs a topic can have. Another one (MessagePack, Avro, CSV lines) is one file beside these that implements `Codec` (codec.ts)
 * and one line here; test/engine/codec/support.ts lays its records out in blocks as the runtime does. What it must keep:
 *
 * - Verdict and value follow from a record's own bytes: not from the clock, from earlier records or from the bytes after its end.
 * - Bad bytes are reported, one BadRecord each; they never throw, and never cost more than in proportion to the block.
 * - The block's bytes are reused: values keep nothing of them.
 * - What `encode` writes, `decode` reads back as an equal value; when it throws, out.at is where it was.
 */
export { bytes } from './bytes.ts'
export type { BadRecord, Codec } from './codec.ts'
export { type JsonCodec, json } from './json.ts'
export { string } from './string.ts'
