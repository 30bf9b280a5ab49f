/** Memory for one thing after the other: a new buffer for each would keep the collector busy. */
export class KeptBuffer {
  private kept: Buffer = Buffer.alloc(0)
  private taken = false
  private readonly bytesMax: number

  /** @param bytesMax larger ones are made and dropped. */
  constructor(bytesMax: number = Number.POSITIVE_INFINITY) {
    this.bytesMax = bytesMax
  }

  /** Its content is whatever was there before; it is whoever took it last that has it. */
  take(bytes: number): Buffer {
    this.taken = true
    if (bytes > this.bytesMax) return Buffer.allocUnsafeSlow(bytes)
    if (bytes > this.kept.length) this.kept = Buffer.allocUnsafeSlow(Math.min(this.bytesMax, sizeFor(bytes)))
    return this.kept.subarray(0, bytes)
  }

  /** Drops the memory when nobody took it since the last such call. */
  letGo(): void {
    if (!this.taken) this.kept = Buffer.alloc(0)
    this.taken = false
  }
}

const smallest = 1 << 16

/** With some room, so that what grows by little is not made anew each time. */
function sizeFor(bytes: number): number {
  return Math.ceil((bytes * 1.25) / smallest) * smallest
}
