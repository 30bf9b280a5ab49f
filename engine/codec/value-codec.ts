import type { ByteSink } from '../block/byte-sink.ts'
export function encodeValue(value: unknown, out: ByteSink): void { out.utf8(JSON.stringify(value)) }
export function decodeValue(bytes: Buffer, from: number, to: number): unknown { return JSON.parse(bytes.utf8Slice(from, to)) }
