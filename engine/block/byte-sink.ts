const shortBytesMax = 64

/**
 * A growing byte buffer that encoders write into directly: `need(n)` first, then bytes at `at`, then `at += n`.
 * `buf` and `view` are replaced when it grows: read them after `need`.
 */
export class ByteSink {
  buf: Buffer
  view: DataView
  at = 0
  constructor(bytes = 1 << 12) {
    this.buf = Buffer.allocUnsafeSlow(bytes)
    this.view = new DataView(this.buf.buffer)
  }

  /** Makes room for `bytes` more bytes at `at`. */
  need(bytes: number): void {
    if (this.at + bytes > this.buf.length) this.grow(bytes)
  }

  bytes(source: Uint8Array): void {
    this.need(source.length)
    this.buf.set(source, this.at)
    this.at += source.length
  }

  /** source[start, end): for the first tens of bytes a loop is faster than a call. */
  copy(source: Buffer, start: number, end: number): void {
    const length = end - start
    this.need(length)
    const { buf, at } = this
    if (length > shortBytesMax) source.copy(buf, at, start, end)
    else for (let i = 0; i < length; i++) buf[at + i] = source[start + i]!
    this.at = at + length
  }

  utf8(text: string): void {
    this.need(text.length * 3)
    this.at += this.buf.utf8Write(text, this.at)
  }

  reset(): void {
    this.at = 0
  }

  private grow(bytes: number): void {
    let size = this.buf.length * 2
    while (size < this.at + bytes) size *= 2
    const larger = Buffer.allocUnsafeSlow(size)
    this.buf.copy(larger, 0, 0, this.at)
    this.buf = larger
    this.view = new DataView(larger.buffer)
  }
}
