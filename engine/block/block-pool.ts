/** Smaller blocks are made and dropped. */
const smallest = 1 << 16
const largest = 8 << 20
const keptBytesMax = 32 << 20

/**
 * Bytes for blocks, used again: making megabytes for every slice costs the kernel's pages and brings the garbage collector on. They are shared
 * memory, so that they go to the thread that writes the log without being copied.
 * Invariant: at most keptBytesMax are kept.
 */
export class BlockPool {
  /** By size, powers of two. */
  private readonly free = new Map<number, ArrayBufferLike[]>()
  private keptBytes = 0

  /** Exactly `bytes`, with any content, at the beginning of their buffer. */
  acquire(bytes: number): Buffer {
    if (bytes < smallest || bytes > largest) return Buffer.allocUnsafeSlow(bytes)
    const size = 2 ** Math.ceil(Math.log2(bytes))
    const buffer = this.free.get(size)?.pop()
    if (buffer === undefined) return Buffer.from(new SharedArrayBuffer(size), 0, bytes)
    this.keptBytes -= size
    return Buffer.from(buffer as SharedArrayBuffer, 0, bytes)
  }

  /** Of a block from `acquire` that nobody uses any more. */
  giveBack({ buffer }: Uint8Array): void {
    const size = buffer.byteLength
    if (size < smallest || size > largest || !Number.isInteger(Math.log2(size)) || this.keptBytes + size > keptBytesMax) return
    const kept = this.free.get(size)
    if (kept === undefined) this.free.set(size, [buffer])
    else kept.push(buffer)
    this.keptBytes += size
  }
}
