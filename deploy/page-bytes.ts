import type { NewRecord } from '../engine/model/record.ts'

/** Of one answer: it is made in the process that owns the log, where it takes several times as much. */
export const pageBytesMax = 8 << 20

/** Says where a page ends: before the record that makes it too large, but never before the first. */
export class PageBytes {
  private readonly bytesMax: number
  private bytes = 0

  constructor(bytesMax: number = pageBytesMax) {
    this.bytesMax = bytesMax
  }

  /** Whether so many bytes more are on the page. */
  take(bytes: number): boolean {
    if (this.bytes > 0 && this.bytes + bytes > this.bytesMax) return false
    this.bytes += bytes
    return true
  }
}

/** Of all that is shown of a record. */
export function bytesOf({ key, value, headers = [] }: Pick<NewRecord, 'key' | 'value' | 'headers'>): number {
  const ofHeaders = headers.reduce((sum, header) => sum + header.name.length + header.value.length, 0)
  return (key?.length ?? 0) + (value?.length ?? 0) + ofHeaders
}
