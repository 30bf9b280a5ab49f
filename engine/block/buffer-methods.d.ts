// Methods that Node's Buffer has had since v0 and that skip the encoding look-up; its type package leaves them out.
declare global {
  interface Buffer {
    latin1Slice(start?: number, end?: number): string
    utf8Slice(start?: number, end?: number): string
    latin1Write(text: string, offset?: number, length?: number): number
    utf8Write(text: string, offset?: number, length?: number): number
    ucs2Slice(start?: number, end?: number): string
    ucs2Write(text: string, offset?: number, length?: number): number
  }
}

export {}
