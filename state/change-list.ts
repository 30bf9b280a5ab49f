import type { StateEntry } from './entry.ts'
import type { GroupContents } from './group-contents.ts'

const chunkEntries = 4096
const sweptFrom = 32

/**
 * What was changed in one generation, in no order. In chunks: one long array would be copied whole each time it grows.
 * Entries whose group was removed at once in the same generation are no use to a checkpoint: they are dropped once they are many.
 */
export class ChangeList {
  chunks: StateEntry[][] = []
  /** Contents that were removed at once and that older checkpoints have. */
  readonly cleared: GroupContents[] = []
  private last: StateEntry[] = []
  private count = 0
  /** Of `count`, at most: entries of contents that were cleared. */
  private dead = 0

  constructor() {
    this.chunks.push(this.last)
  }

  get empty(): boolean {
    return this.chunks.length === 1 && this.last.length === 0 && this.cleared.length === 0
  }

  add(entry: StateEntry): void {
    if (this.last.length === chunkEntries) {
      this.last = []
      this.chunks.push(this.last)
    }
    this.last.push(entry)
    this.count++
  }

  /** All entries of these contents were removed at once, in this generation. */
  clear(contents: GroupContents, olderHaveIt: boolean): void {
    if (olderHaveIt) this.cleared.push(contents)
    this.dead += contents.entries.size + contents.removed.size
    if (this.count >= sweptFrom && this.dead * 2 > this.count) this.sweep()
  }

  private sweep(): void {
    const { chunks } = this
    this.last = []
    this.chunks = [this.last]
    this.count = 0
    this.dead = 0
    for (const chunk of chunks) {
      for (const entry of chunk) {
        if (entry.contents.removedIn === 0) this.add(entry)
        else entry.contents.meter.dirty--
      }
    }
  }
}
