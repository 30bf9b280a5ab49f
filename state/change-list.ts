import type { StateEntry } from './entry.ts'
import type { GroupContents } from './group-contents.ts'

const chunkEntries = 4096

/** What was changed in one generation, in no order. In chunks: one long array would be copied whole each time it grows. */
export class ChangeList {
  readonly chunks: StateEntry[][] = []
  /** Contents that were removed at once and that older checkpoints have. */
  readonly cleared: GroupContents[] = []
  private last: StateEntry[] = []

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
  }
}
