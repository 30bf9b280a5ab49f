import type { CheckpointStore } from '../../engine/ports/checkpoint-store.ts'
import { MemoryCheckpointStore } from '../../state/memory-checkpoint-store.ts'
import type { Random } from '../support/random.ts'
import { type Life, never } from './life.ts'

/** What the disk holds of one task's checkpoints, through all its lives. */
export class CheckpointDisk {
  readonly store = new MemoryCheckpointStore()

  /** The store as one process reaches it: slow, and out of reach for a process that was killed or cut off. */
  mount(life: Life, random: Random): CheckpointStore {
    const { store } = this
    return {
      async put(name, parts) {
        const held: Uint8Array[] = []
        for await (const part of parts) held.push(Buffer.from(part))
        for (let turns = random.int(6); turns >= 0; turns--) await life.turn('checkpoint put')
        if (life.zombie) await never()
        await store.put(name, held)
        await life.turn('checkpoint is there')
      },
      async read(name, position, length) {
        await life.turn('checkpoint read')
        return store.read(name, position, length)
      },
      async size(name) {
        await life.turn('checkpoint size')
        return store.size(name)
      },
      async list() {
        await life.turn('checkpoint list')
        return store.list()
      },
      async remove(name) {
        await life.turn('checkpoint remove')
        if (life.zombie) await never()
        return store.remove(name)
      },
    }
  }
}
