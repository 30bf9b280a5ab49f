import type { Key } from '../engine/model/record.ts'
import type { Entry } from '../engine/ports/state.ts'
import type { GroupContents } from './group-contents.ts'

/** An entry in memory, and whether it has been changed since a checkpoint was cut. */
export class StateEntry<V = unknown> implements Entry<V> {
  readonly key: Key
  value: V | undefined
  /** n > 0: changed in generation n and not serialised since. -n: not changed since it was serialised for generation n, or loaded (0). */
  generation: number
  /** The generation in which it came to be; older checkpoints don't have it. 0: loaded. */
  born: number
  /** False: removed; stands for the removal until that is where older values of the key are. */
  live = true
  /** Read since the clock of eviction came by. */
  used = true
  readonly contents: GroupContents
  /** The one made before it in its contents' first generation, until that is serialised. */
  madeBefore: StateEntry | undefined = undefined

  constructor(key: Key, value: V | undefined, generation: number, born: number, contents: GroupContents) {
    this.key = key
    this.value = value
    this.generation = generation
    this.born = born
    this.contents = contents
  }
}
