import { ClassicLevel } from 'classic-level'
import { StreamError } from '../engine/errors.ts'
import type { SpillStore } from '../engine/ports/checkpoint-store.ts'

const cacheBytes = 256 << 20
const binary = { keyEncoding: 'view', valueEncoding: 'view' } as const

type Database = ClassicLevel<Uint8Array, Uint8Array>

/**
 * The spill store in a LevelDB of its own directory; the only file that knows it. Nothing is synced: after a crash what is left is a cache
 * that may lack batches. After a failed call the handle is not used again (a full disk sticks to it): close, open anew.
 */
export class LevelSpillStore implements SpillStore {
  private readonly directory: string
  private readonly database: Database
  private failure: StreamError | undefined = undefined
  private last: Promise<void> = Promise.resolve()

  /**
   * @param directory made if it does not exist; of this task alone. What can't be opened is emptied: it is a cache, and is built anew.
   * @param cacheBytesMax LevelDB's own cache, outside of the JavaScript heap.
   * Errors: LOG_LOCKED (another process has it open), DISK_FULL, else LevelDB's own if not even an empty one can be opened.
   */
  static async open(directory: string, cacheBytesMax = cacheBytes): Promise<LevelSpillStore> {
    const open = async () => {
      const database: Database = new ClassicLevel(directory, { ...binary, cacheSize: cacheBytesMax, compression: false })
      try {
        await database.open()
      } catch (error) {
        throw outerFailure(directory, error) ?? error
      }
      return new LevelSpillStore(directory, database)
    }
    try {
      return await open()
    } catch (error) {
      if (error instanceof StreamError) throw error
      await ClassicLevel.destroy(directory)
      return open()
    }
  }

  private constructor(directory: string, database: Database) {
    this.directory = directory
    this.database = database
  }

  get(key: Uint8Array): Uint8Array | undefined {
    this.throwFailure()
    try {
      return this.database.getSync(key)
    } catch (error) {
      throw this.failed(error)
    }
  }

  batch(puts: readonly { key: Uint8Array; value: Uint8Array | null }[]): Promise<void> {
    // LevelDB writes in threads of a pool, of which the later may be the faster.
    const written = this.last.then(() => this.write(puts))
    this.last = written.catch(() => undefined)
    return written
  }

  async clear(): Promise<void> {
    await this.last
    this.throwFailure()
    try {
      await this.database.clear()
    } catch (error) {
      throw this.failed(error)
    }
  }

  async close(): Promise<void> {
    await this.last
    await this.database.close()
  }

  private async write(puts: readonly { key: Uint8Array; value: Uint8Array | null }[]): Promise<void> {
    this.throwFailure()
    try {
      // Twice as fast as an array of operations.
      const batch = this.database.batch()
      for (const { key, value } of puts) {
        if (value === null) batch.del(key)
        else batch.put(key, value)
      }
      await batch.write()
    } catch (error) {
      throw this.failed(error)
    }
  }

  private throwFailure(): void {
    if (this.failure !== undefined) throw this.failure
  }

  private failed(error: unknown): StreamError {
    const details = { reason: 'the database below memory failed', code: causes(error).join(' < ') }
    this.failure ??= outerFailure(this.directory, error) ?? new StreamError('STATE_CORRUPT', details, { cause: error })
    return this.failure
  }
}

/** What is not the database's fault has a code of ours: emptied, it would fare no better. Undefined: it is. Pure. */
export function outerFailure(directory: string, error: unknown): StreamError | undefined {
  if (causes(error).includes('LEVEL_LOCKED')) return new StreamError('LOG_LOCKED', { directory }, { cause: error })
  if (fullDisk.test(wordsOf(error))) return new StreamError('DISK_FULL', { file: directory }, { cause: error })
  return undefined
}

/** LevelDB passes the system's words on, not its code. */
const fullDisk = /No space left on device|Disk quota exceeded/

function wordsOf(error: unknown): string {
  return error instanceof Error ? `${error.message} < ${wordsOf(error.cause)}` : ''
}

/** The codes of an error and of what caused it. */
function causes(error: unknown): string[] {
  const codes: string[] = []
  for (let cause = error; cause instanceof Error; cause = cause.cause) codes.push(String((cause as { code?: unknown }).code ?? cause.name))
  return codes
}
