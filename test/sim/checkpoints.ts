import type { CheckpointStore } from '../../engine/ports/checkpoint-store.ts'
import { isManifest } from '../../state/checkpoint/manifest.ts'
import { MemoryCheckpointStore } from '../../state/memory-checkpoint-store.ts'
import type { Random } from '../support/random.ts'
import { type Life, never } from './life.ts'

/** What the disk holds of one task's checkpoints, through all its lives. */
export class CheckpointDisk {
  readonly store = new MemoryCheckpointStore()

  /** Manifests since the last damage: the newest two may be relied on, one of them may be lost. */
  private sound = 0

  /** Something happens to the newest checkpoint's file while nobody looks, unless it is the last one. @returns whether. */
  damage(random: Random): boolean {
    const { files } = this.store
    const newest = [...files.keys()]
      .filter((name) => isManifest(name))
      .sort()
      .at(-1)
    if (newest === undefined || this.sound < 2) return false
    this.sound = 0
    const bytes = Buffer.from(files.get(newest)!)
    if (random.chance(0.3)) files.delete(newest)
    else if (random.chance(0.5)) files.set(newest, bytes.subarray(0, random.int(bytes.length)))
    else {
      const at = random.int(bytes.length)
      bytes[at]! ^= 1 << random.int(8)
      files.set(newest, bytes)
    }
    return true
  }

  /** The store as one process reaches it: slow, and out of reach for a process that was killed or cut off. */
  mount(life: Life, random: Random): CheckpointStore {
    const { store } = this
    return {
      put: async (name, parts) => {
        const held: Uint8Array[] = []
        for await (const part of parts) held.push(Buffer.from(part))
        for (let turns = random.int(6); turns >= 0; turns--) await life.turn('checkpoint put')
        if (life.zombie) await never()
        await store.put(name, held)
        if (isManifest(name)) this.sound++
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
