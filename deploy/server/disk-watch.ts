import type { Clock, Logger } from '../../engine/ports/world.ts'
import { alive, type VersionState } from '../../replay/control-state.ts'
import type { DiskUse } from './version-disk.ts'
import type { ThreadFailure } from './version-messages.ts'

export interface DiskWatchWorld {
  readonly clock: Pick<Clock, 'sleep'>
  readonly logger: Logger
  /** A version may have so much; infinite: as much as there is. */
  readonly bytesMax: number
  /** Versions with a thread. */
  running(): Iterable<Pick<VersionState, 'version' | 'role' | 'health'>>
  useOf(version: number): Promise<DiskUse>
  end(version: number, failure: ThreadFailure): Promise<void>
}

const lookEveryMs = 2000

/** Looks from time to time at what the versions of a job have on disk, and ends the thread of one that has more than it may. */
export class DiskWatch {
  /** As of the last look, by version; also of those that ended since. */
  readonly bytes = new Map<number, number>()
  private readonly world: DiskWatchWorld

  constructor(world: DiskWatchWorld) {
    this.world = world
  }

  /** Until `over`. A look that fails is told of, and the next one is taken. */
  async run(over: AbortSignal): Promise<void> {
    const { clock, logger } = this.world
    while (!over.aborted) {
      await this.look().catch((error: unknown) => logger.error({ error }, 'it is not known what versions have on disk'))
      await clock.sleep(lookEveryMs, over)
    }
  }

  async look(): Promise<void> {
    const { bytesMax, running, useOf, end } = this.world
    for (const state of [...running()]) {
      const { version, health } = state
      const use = await useOf(version)
      this.bytes.set(version, use.state + use.topics)
      // One that stopped was started to be held, so that another one can take over: it writes next to nothing.
      if (use.state + use.topics > bytesMax && health === 'running' && alive(state)) await end(version, failureOf(use, bytesMax))
    }
  }
}

function failureOf({ state, topics }: DiskUse, bytesMax: number): ThreadFailure {
  const used = `${mb(state + topics)} MB on disk (state ${mb(state)}, topics of its own ${mb(topics)})`
  return { code: 'VERSION_OUT_OF_DISK', message: `${used}, ${mb(bytesMax)} are allowed: allow more with --disk-quota, or abort it` }
}

const mb = (bytes: number): string => (bytes / 2 ** 20).toFixed(1)
