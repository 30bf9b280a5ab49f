import { checksum } from '../../engine/block/checksum.ts'
import { StreamError } from '../../engine/errors.ts'

const head = 4

/** A value of the spill store: CRC-32 of the payload, then the payload. LevelDB gives wrong values for some damage without a word. */
export function seal(payload: Uint8Array, from: number, to: number): Uint8Array {
  const sealed = Buffer.allocUnsafeSlow(head + to - from)
  sealed.set(payload.subarray(from, to), head)
  sealed.writeUInt32BE(checksum(sealed, head, sealed.length), 0)
  return sealed
}

/** @returns the sealed bytes as a Buffer; the payload begins at `payloadAt`. Errors: STATE_CORRUPT. */
export function unseal(sealed: Uint8Array): Buffer {
  const bytes = Buffer.from(sealed.buffer, sealed.byteOffset, sealed.length)
  if (bytes.length < head || bytes.readUInt32BE(0) !== checksum(bytes, head, bytes.length)) {
    throw new StreamError('STATE_CORRUPT', { reason: 'a value below memory does not match its checksum', bytes: bytes.length })
  }
  return bytes
}

export const payloadAt = head
