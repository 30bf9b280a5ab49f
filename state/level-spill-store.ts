import { ClassicLevel } from 'classic-level'
import { StreamError } from '../engine/errors.ts'
import type { SpillStore } from '../engine/ports/checkpoint-store.ts'

type Database = ClassicLevel<Uint8Array, Uint8Array>

/**
 * What does not fit into memory, in LevelDB: the only file that knows it. A cache: nothing rests on what it holds, see SpillDatabase.
 * After an error of the device the handle is of no use any more; the state is opened anew.
 */
export class LevelSpillStore implements SpillStore {
  private readonly db: Database

  /** @param directory of this task alone; made if need be. Errors: STATE_CORRUPT when it can't be opened even after its content was removed. */
  static async open(directory: string, cacheBytes = 256 << 20): Promise<LevelSpillStore> {
    // Compression costs the reads more than it saves the disk.
    const open = async () => {
      const db: Database = new ClassicLevel(directory, {
        keyEncoding: 'view',
        valueEncoding: 'view',
        cacheSize: cacheBytes,
        compression: false,
      })
      await db.open()
      return new LevelSpillStore(db)
    }
    try {
      return await open()
    } catch {
      // Damaged beyond opening: it is a cache, so it begins anew.
      await ClassicLevel.destroy(directory)
      return open()
    }
  }

  private constructor(db: Database) {
    this.db = db
  }

  get(key: Uint8Array): Uint8Array | undefined {
    try {
      return this.db.getSync(key)
    } catch (cause) {
      throw damaged(cause)
    }
  }

  async batch(puts: readonly { key: Uint8Array; value: Uint8Array | null }[]): Promise<void> {
    const batch = this.db.batch()
    for (const { key, value } of puts) {
      if (value === null) batch.del(key)
      else batch.put(key, value)
    }
    try {
      await batch.write()
    } catch (cause) {
      throw damaged(cause)
    }
  }

  async clear(): Promise<void> {
    await this.db.clear()
  }

  async close(): Promise<void> {
    await this.db.close()
  }
}

function damaged(cause: unknown): StreamError {
  return new StreamError('STATE_CORRUPT', { reason: (cause as { code?: string }).code ?? String(cause) }, { cause })
}
