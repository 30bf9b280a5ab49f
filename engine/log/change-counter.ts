/** Counts changes and wakes those who wait for the next one. */
export class ChangeCounter {
  count = 0
  private readonly waiting = new Set<() => void>()
  private ended = false

  get waiters(): number {
    return this.waiting.size
  }

  bump(): void {
    this.count++
    this.wake()
  }

  /** Resolves once `count` is no longer `seen`, the signal aborts or `end` was called; at once where that is so already. */
  changed(seen: number, signal?: AbortSignal): Promise<void> {
    if (this.ended || this.count !== seen || signal?.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        this.waiting.delete(done)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      this.waiting.add(done)
      signal?.addEventListener('abort', done, { once: true })
    })
  }

  /** Nothing will change any more: whoever waits goes on. */
  end(): void {
    this.ended = true
    this.wake()
  }

  private wake(): void {
    for (const done of [...this.waiting]) done()
  }
}
