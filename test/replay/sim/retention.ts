import { StandingPins } from '../../../deploy/server/standing-pins.ts'
import type { MemoryLog } from '../../../engine/log/memory/memory-log.ts'
import { partitionName } from '../../../engine/runtime/steering.ts'
import type { Coverage } from '../../sim/coverage.ts'
import { LawBroken } from '../../sim/laws.ts'
import type { VersionMonitor } from './version-monitor.ts'

/** A version whose input must stay: `state` says what becomes of it now. */
export interface Needing {
  readonly version: number
  readonly state: 'to come' | 'stopped' | 'between lives' | 'replaying' | 'level'
  /** It has pinned what it needs itself. */
  readonly keepsInput: boolean
}

/** Old input goes from time to time, as retention says, while its job is led; what a version that is alive has not taken must stay. */
export class Retention {
  private readonly log: MemoryLog
  private readonly monitor: VersionMonitor
  private readonly coverage: Coverage
  private readonly sources: readonly string[]
  private readonly standing: StandingPins

  constructor(log: MemoryLog, monitor: VersionMonitor, coverage: Coverage, sources: readonly string[]) {
    this.log = log
    this.monitor = monitor
    this.coverage = coverage
    this.sources = sources
    this.standing = new StandingPins(log)
  }

  run(now: number, needing: readonly Needing[]): void {
    this.standing.keep(new Map(needing.flatMap(({ version, keepsInput }) => (keepsInput ? [] : [[version, this.sources] as const]))))
    const before = this.partitions().map(({ bounds }) => bounds.start)
    this.log.retain(now)
    this.partitions().forEach(({ name, bounds: { start } }, i) => {
      for (const { version } of needing) {
        const position = this.monitor.position(version, name)
        if (start > position)
          throw new LawBroken('L1 no record lost', `${name} begins at ${start}, v${version} has taken it up to ${position}`)
      }
      if (start > before[i]!) this.coverage.count('input removed')
    })
  }

  /** Nobody is there any more: all may go. */
  end(): void {
    this.standing.keep(new Map())
    this.log.retain(Number.MAX_SAFE_INTEGER)
    for (const { name, bounds } of this.partitions())
      if (bounds.start < bounds.end) throw new LawBroken('L8 queues are bounded', `${name} is kept from ${bounds.start} on, for nobody`)
  }

  private partitions() {
    return this.sources.flatMap((topic) =>
      Array.from({ length: this.log.topic(topic)!.partitions }, (_, i) => ({
        name: partitionName(topic, i),
        bounds: this.log.bounds(topic, i),
      })),
    )
  }
}
