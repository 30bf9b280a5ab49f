import type { Clock } from '../../engine/ports/world.ts'
import type { ThreadFailure } from './version-messages.ts'

export interface MemoryWatchWorld {
  readonly clock: Pick<Clock, 'sleep' | 'monotonic'>
  /** Resident bytes of the whole process. */
  residentBytes(): number
  /** Heap and buffers of the server's own thread. */
  ownBytes(): number
}

/** A thread as the watch sees it. */
export interface WatchedThread {
  /** Heap and buffers together. */
  readonly bytesMax: number
  endAtOnce(failure: ThreadFailure): void
}

/** What was seen when a thread answered last. */
interface Heard {
  readonly at: number
  readonly resident: number
  readonly own: number
  /** What it had, as it said, and what the others had. 0: it has not answered yet. */
  readonly bytes: number
  readonly others: ReadonlyMap<WatchedThread, number>
}

const lookEveryMs = 100

/** A thread that goes on answers within this time, also on a busy machine; taking one that does for silent does no harm. */
const answersWithinMs = 500

/** What a thread has beside its heap and its buffers: code, stacks, and what Node lets a thread at its limit have more to end in. */
const besideBytes = 96 * 2 ** 20

/**
 * Finds threads that take memory without ever coming back to say so: job code that fills buffers in a loop. No limit of the engine's covers
 * buffers, and a thread that loops is not asked; but the process is seen to grow.
 * Invariants: I1 as long as the process has grown by no more than all silent threads may have, nobody is ended; I2 one at a time, then it is
 * looked again: which of several silent ones it was can't be told for sure.
 */
export class MemoryWatch {
  private readonly world: MemoryWatchWorld
  private readonly threads = new Map<WatchedThread, Heard>()
  private ending: WatchedThread | undefined = undefined

  static ofProcess(clock: MemoryWatchWorld['clock']): MemoryWatch {
    const ownBytes = () => {
      const { heapTotal, external } = process.memoryUsage()
      return heapTotal + external
    }
    return new MemoryWatch({ clock, residentBytes: process.memoryUsage.rss, ownBytes })
  }

  constructor(world: MemoryWatchWorld) {
    this.world = world
  }

  /** Until `over`. */
  async run(over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      this.look()
      await this.world.clock.sleep(lookEveryMs, over)
    }
  }

  /** A thread begins: it has not answered yet. */
  begun(thread: WatchedThread): void {
    this.heard(thread, 0)
  }

  /** It answered. @param bytes its heap and its buffers. */
  heard(thread: WatchedThread, bytes: number): void {
    const { clock, residentBytes, ownBytes } = this.world
    const others = new Map([...this.threads].map(([other, heard]) => [other, heard.bytes]))
    this.threads.set(thread, { at: clock.monotonic(), resident: residentBytes(), own: ownBytes(), bytes, others })
  }

  ended(thread: WatchedThread): void {
    this.threads.delete(thread)
    if (this.ending === thread) this.ending = undefined
  }

  look(): void {
    if (this.ending !== undefined) return
    const now = this.world.clock.monotonic()
    const silent = [...this.threads].filter(([, { at }]) => now - at > answersWithinMs).sort(([, a], [, b]) => b.at - a.at)
    if (silent.length === 0) return
    const allowed = silent.reduce((sum, [{ bytesMax }, { bytes }]) => sum + Math.max(0, bytesMax - bytes) + besideBytes, 0)
    const threads = new Set(silent.map(([thread]) => thread))
    const seen = silent.map(([thread, heard]) => ({ thread, heard, grown: this.grownSince(heard, threads) }))
    const grown = Math.max(...seen.map((one) => one.grown))
    if (grown <= allowed) return
    // Who is silent longer was so before it grew, and did not make it grow then: the last one since whose answer it grew so far is the likeliest.
    const { thread, heard } = seen.find((one) => one.grown > allowed - besideBytes)!
    this.ending = thread
    const beside = silent.length === 1 ? '' : `, nor that of ${silent.length - 1} more`
    const found = `the process grew by ${mib(grown)} MiB while its code did not come back for ${((now - heard.at) / 1000).toFixed(1)} s${beside}`
    thread.endAtOnce({ code: 'VERSION_OUT_OF_MEMORY', message: `${found}; ${mib(allowed)} are allowed` })
  }

  /** Of the process, without what those that answer, and the server's own thread, are known to have grown by. */
  private grownSince({ resident, own, others }: Heard, silent: ReadonlySet<WatchedThread>): number {
    let known = Math.max(0, this.world.ownBytes() - own)
    for (const [other, { bytes }] of this.threads) if (!silent.has(other)) known += Math.max(0, bytes - (others.get(other) ?? 0))
    return this.world.residentBytes() - resident - known
  }
}

const mib = (bytes: number): number => Math.round(bytes / 2 ** 20)
