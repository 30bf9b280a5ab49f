/**
 * A block: records of one partition that were appended together, as columns. The unit of writing, checking, reading.
 * Little-endian; starts at a multiple of 8; length a multiple of 8.
 *
 *     0  u32 length (whole block)      32  u32 content checksum (bytes [64, length))
 *     4  u32 header checksum [8, 64)   36  u32 flags
 *     8  u32 magic 'RPB1'              40  u32 key bytes
 *    12  u32 count                     44  u32 value bytes
 *    16  f64 base offset               48  u32 header bytes
 *    24  f64 append time               52  u32 originals (0: this block is an original)
 *                                      56  8 bytes of 0
 *    64  content:
 *        originals x { u32 count, u32 content checksum, f64 append time }     only in a joined block
 *        f64 event time x count
 *        u32 key end x count        (relative to the start of the keys)
 *        u32 value end x count
 *        u32 headers end x count    only with flag HEADERS
 *        u8 nulls x count           only with flag NULLS: bit 0 null key, bit 1 null value
 *        keys, values, headers, zeros up to a multiple of 8
 *
 * The content checksum is made where the records are encoded and stays with them through every rewrite: a joined block lists its
 * originals' counts and checksums. Base offset and append time are stamped by the log, under the header checksum.
 */
export const headBytes = 64
export const magic = 0x31425052
export const flagHeaders = 1
export const flagNulls = 2
export const nullKey = 1
export const nullValue = 2
export const originalBytes = 16

export const pad8 = (bytes: number): number => (bytes + 7) & ~7
