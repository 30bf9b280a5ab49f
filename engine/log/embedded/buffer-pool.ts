import { assert } from '../../assert.ts'
import { viewsOf } from '../../block/block-view.ts'

/** A buffer whose views are made once. */
export interface PooledBuffer extends ReturnType<typeof viewsOf> {
  release(): void
}

const smallest = 1 << 16
/** Larger ones are made and dropped: collecting buffers of this size is what costs. */
const largest = 8 << 20
const keptBytesMax = 16 << 20
/** Readable bytes behind the content, so that decoders may read past a value's end. */
const slackBytes = 16

/** Buffers for reading, by powers of two. */
export class BufferPool {
  private readonly free = new Map<number, ReturnType<typeof viewsOf>[]>()

  /** At least `bytes` and the slack. */
  acquire(bytes: number): PooledBuffer {
    const needed = bytes + slackBytes
    const size = needed > largest ? (needed + 7) & ~7 : Math.max(smallest, 2 ** Math.ceil(Math.log2(needed)))
    const views = this.free.get(size)?.pop() ?? viewsOf(Buffer.allocUnsafeSlow(size))
    let released = false
    const release = () => {
      assert(!released, 'a chunk was released twice')
      released = true
      this.giveBack(size, views)
    }
    return { ...views, release }
  }

  private giveBack(size: number, views: ReturnType<typeof viewsOf>): void {
    if (size > largest) return
    const kept = this.free.get(size) ?? []
    this.free.set(size, kept)
    if ((kept.length + 1) * size <= keptBytesMax) kept.push(views)
  }
}
