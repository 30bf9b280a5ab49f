import { crc32 } from 'node:zlib'

/** CRC-32 (ISO-HDLC) of bytes[start, end). */
export function checksum(bytes: Uint8Array, start: number, end: number): number {
  return crc32(bytes.subarray(start, end))
}
