import type { EpochMs } from '../../model/record.ts'

export interface PublishedEnd {
  readonly file: number
  readonly position: number
}

/**
 * What the writer shares with reading threads: one word, (file, position), up to where the log is durable, and the append-time clock.
 * The clock is written AFTER the end it goes with, and read BEFORE it: so no record above the end seen has a lower append time.
 */
export class Published {
  readonly memory: SharedArrayBuffer
  private readonly words: BigInt64Array

  constructor(memory = new SharedArrayBuffer(16)) {
    this.memory = memory
    this.words = new BigInt64Array(memory)
  }

  end(): PublishedEnd {
    const word = Atomics.load(this.words, 0)
    return { file: Number(word >> 32n), position: Number(word & 0xffffffffn) }
  }

  clock(): EpochMs {
    return Number(Atomics.load(this.words, 1))
  }

  /** Makes a group visible and wakes the reading threads. */
  setEnd(file: number, position: number): void {
    Atomics.store(this.words, 0, (BigInt(file) << 32n) | BigInt(position))
    Atomics.notify(this.words as unknown as Int32Array, 0)
  }

  setClock(time: EpochMs): void {
    Atomics.store(this.words, 1, BigInt(time))
  }

  /** Resolves when the end is another than `seen`, or after the time. */
  async changed(seen: PublishedEnd, timeoutMs: number): Promise<void> {
    const word = (BigInt(seen.file) << 32n) | BigInt(seen.position)
    const result = waitAsync(this.words, 0, word, timeoutMs)
    if (!result.async) return
    // Such a wait alone does not keep a thread from ending.
    const alive = setInterval(() => {}, timeoutMs)
    await result.value
    clearInterval(alive)
  }
}

// In every supported Node, but not yet in the compiler's library for this target.
interface AsyncWaits {
  waitAsync(words: BigInt64Array, index: number, value: bigint, timeoutMs: number): { async: boolean; value: Promise<string> }
}
const { waitAsync } = Atomics as unknown as AsyncWaits
