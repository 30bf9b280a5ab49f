import { Deferred } from '../deferred.ts'

/** Blocks that are made but not written yet, at most. */
const blocksMax = 16

/** Hands blocks from who makes them to who writes them, so that neither waits for each step of the other. One of each. */
export class BlockQueue implements AsyncIterable<Uint8Array> {
  private readonly blocks: Uint8Array[] = []
  private changed = new Deferred()
  private ended = false
  private failure: { error: unknown } | undefined = undefined

  push(block: Uint8Array): void {
    this.blocks.push(block)
    this.wake()
  }

  end(): void {
    this.ended = true
    this.wake()
  }

  /** Whoever waits, or comes later, gets this error. */
  fail(error: unknown): void {
    this.failure ??= { error }
    this.wake()
  }

  /** Resolves when another block may be pushed. */
  async room(): Promise<void> {
    while (this.blocks.length >= blocksMax && this.failure === undefined) await this.changed.promise
    if (this.failure !== undefined) throw this.failure.error
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      if (this.failure !== undefined) throw this.failure.error
      const block = this.blocks.shift()
      if (block !== undefined) {
        this.wake()
        yield block
      } else if (this.ended) {
        return
      } else {
        await this.changed.promise
      }
    }
  }

  private wake(): void {
    const { changed } = this
    this.changed = new Deferred()
    changed.resolve()
  }
}
