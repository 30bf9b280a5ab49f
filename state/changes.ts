import { ChangeList } from './change-list.ts'
import type { StateEntry } from './entry.ts'
import type { GroupContents } from './group-contents.ts'

/** What takes the frozen values of entries that are about to change. */
export interface FrozenValues {
  /** The entry is changed in the frozen generation and not serialised yet. */
  save(entry: StateEntry): void
}

/**
 * Which entries were changed in the live generation. A cut freezes the generation as it is: nothing is copied, but an entry of it that is
 * touched again is serialised first (copy on write).
 * Invariants: I1 an entry stands in the list of each generation it was changed in, once; I2 entry.generation > 0 and not the live one means
 * that its frozen value is still in the entry only.
 */
export class Changes {
  /** The number of the live generation. */
  generation: number
  private list = new ChangeList()
  private frozen: FrozenValues | undefined = undefined

  constructor(generation: number) {
    this.generation = generation
  }

  get empty(): boolean {
    return this.list.empty
  }

  /** To be called BEFORE an entry of an older generation is changed. */
  touch(entry: StateEntry): void {
    if (entry.generation > 0) this.frozen!.save(entry)
    entry.generation = this.generation
    entry.used = true
    entry.contents.meter.dirty++
    this.list.add(entry)
  }

  /** The entry was made in this generation. */
  created(entry: StateEntry): void {
    const { contents } = entry
    contents.meter.dirty++
    if (contents.born === this.generation) this.list.made(entry)
    else this.list.add(entry)
  }

  cleared(contents: GroupContents): void {
    const { entries, removed, meter } = contents
    contents.removedIn = this.generation
    if (contents.born === this.generation) {
      meter.dirty -= entries.size + removed.size
      this.list.unmade(contents)
    } else this.list.cleared.push(contents)
    entries.clear()
    removed.clear()
  }

  /** The live generation is frozen, the next one begins. @returns the number and changes of the frozen one. */
  freeze(makeFrozen: (list: ChangeList, generation: number) => FrozenValues): void {
    this.frozen = makeFrozen(this.list, this.generation)
    this.list = new ChangeList()
    this.generation++
  }
}
