import type { EpochMs, Offset } from '../../engine/model/record.ts'
import type { Log } from '../../engine/ports/log.ts'
import type { Positions, Starts } from '../../engine/runtime/steering.ts'
import { type CatchUp, type CatchUpPolicy, type Lag, lookAt } from '../../replay/catch-up.ts'
import type { VersionState } from '../../replay/control-state.ts'
import { type Progress, type ProgressSample, progressOf, windowMs } from '../../replay/progress.ts'
import { appendTimeAt } from './append-time-at.ts'
import { partitionOrder } from './partition-order.ts'

/** Fewer may be on their way. */
const backlogMin = 1000

export interface PartitionLag {
  readonly topic: string
  readonly partition: number
  /** Next offset to take, and one past the last one there is. */
  readonly current: Offset
  readonly end: Offset
  readonly lag: number
  /** How long the oldest record that waits has been in the log; 0 where nothing waits. */
  readonly lagMs: number
}

/** What one version looked like at the last look: where it stands in each source partition, and how fast it moves. */
export class VersionObserver {
  partitions: readonly PartitionLag[] = []
  catchUp: CatchUp | undefined = undefined
  /** What it took from look to look while enough waited all along, and how long that was: its pace when it need not wait for records. */
  behind = { records: 0, seconds: 0 }
  private samples: ProgressSample[] = []

  /**
   * Takes a look. @param policy what it is judged by; undefined: it does not run, and only where it stands is seen.
   * @param upTo where a version that trails has to stop: the version that publishes stands still there.
   * @param free nobody holds it back.
   */
  async look(
    log: Log,
    { positions, starts }: { readonly positions: Positions; readonly starts: Starts },
    policy: CatchUpPolicy | undefined,
    now: EpochMs,
    upTo?: Positions,
    free = true,
  ): Promise<void> {
    const partitions: PartitionLag[] = []
    let done = 0
    let target = 0
    for (const [name, current] of [...positions].sort(([one], [other]) => partitionOrder(one, other))) {
      const at = name.lastIndexOf('/')
      const [topic, partition] = [name.slice(0, at), Number(name.slice(at + 1))]
      const bounds = log.bounds(topic, partition)
      const start = Math.max(bounds.start, starts[name] ?? 0)
      const end = Math.min(bounds.end, upTo === undefined ? bounds.end : Math.max(start, upTo.get(name) ?? bounds.end))
      const lag = Math.max(0, end - current)
      const lagMs = lag === 0 ? 0 : Math.max(0, now - ((await appendTimeAt(log, topic, partition, Math.max(start, current))) ?? now))
      partitions.push({ topic, partition, current, end, lag, lagMs })
      done += Math.max(0, current - start)
      target += end - start
    }
    this.partitions = partitions
    if (policy === undefined) return
    const before = this.samples.at(-1)
    if (free && before !== undefined && done > before.done && before.target - before.done >= backlogMin && target - done >= backlogMin) {
      const { records, seconds } = this.behind
      this.behind = { records: records + done - before.done, seconds: seconds + (now - before.at) / 1000 }
    }
    this.samples = [...this.samples.filter(({ at }) => now - at <= 2 * windowMs), { at: now, done, target }]
    this.catchUp = lookAt(this.catchUp, this.lag!, policy, now)
  }

  /** It is not running: what was seen says nothing of what comes. */
  forget(): void {
    this.samples = []
    this.catchUp = undefined
  }

  /** The largest, never the mean; undefined: it was not looked at yet. */
  get lag(): Lag | undefined {
    if (this.partitions.length === 0) return undefined
    let slowest = this.partitions[0]!
    for (const one of this.partitions) if (one.lag > slowest.lag) slowest = one
    const ms = Math.max(...this.partitions.map(({ lagMs }) => lagMs))
    return { records: slowest.lag, ms, partition: slowest.lag === 0 ? undefined : `${slowest.topic}/${slowest.partition}` }
  }

  /** What was seen before it was paused, or resumed, says nothing of how fast it is since. */
  progress({ health, healthSince }: Pick<VersionState, 'health' | 'healthSince'>): Progress | undefined {
    const last = this.samples.at(-1)
    if (last === undefined) return undefined
    const since = this.samples.filter(({ at }) => at >= healthSince)
    const within = this.catchUp?.withinSince !== undefined
    return progressOf(since.length > 0 ? since : [last], { paused: health === 'paused', within })
  }
}
