import type { StateEntry } from './entry.ts'
import type { GroupContents } from './group-contents.ts'

const chunkEntries = 4096
const sweptFrom = 32

/**
 * What was changed in one generation, in no order. Entries of contents that began in it hang on these: when all are removed at once, as those of
 * windows are, they go with them.
 */
export class ChangeList {
  /** Entries of older contents. In chunks: one long array would be copied whole each time it grows. */
  readonly chunks: StateEntry[][] = []
  /** Contents that began in this generation. */
  begun: GroupContents[] = []
  /** Contents that were removed at once and that older checkpoints have. */
  readonly cleared: GroupContents[] = []
  private last: StateEntry[] = []
  /** Of `begun`: removed at once since. */
  private gone = 0

  constructor() {
    this.chunks.push(this.last)
  }

  get empty(): boolean {
    return this.last.length === 0 && this.begun.length === this.gone && this.cleared.length === 0
  }

  add(entry: StateEntry): void {
    if (this.last.length === chunkEntries) {
      this.last = []
      this.chunks.push(this.last)
    }
    this.last.push(entry)
  }

  /** The contents, which began in this generation, have an entry more. */
  made(entry: StateEntry): void {
    const { contents } = entry
    if (contents.lastMade === undefined) this.begun.push(contents)
    entry.madeBefore = contents.lastMade
    contents.lastMade = entry
  }

  /** Contents that began in this generation were removed at once: no checkpoint has seen them. */
  unmade(contents: GroupContents): void {
    contents.lastMade = undefined
    this.gone++
    if (this.begun.length < sweptFrom || this.gone * 2 <= this.begun.length) return
    this.begun = this.begun.filter(({ removedIn }) => removedIn === 0)
    this.gone = 0
  }
}
