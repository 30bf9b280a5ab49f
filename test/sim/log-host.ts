import { EmbeddedLog } from '../../engine/log/embedded/embedded-log.ts'
import { parseFileName } from '../../engine/log/embedded/file-names.ts'
import { MemoryLog } from '../../engine/log/memory/memory-log.ts'
import type { Log } from '../../engine/ports/log.ts'
import type { Random } from '../support/random.ts'
import { noSimFaults, SimDisk, type SimFs } from '../support/sim-fs.ts'
import type { Coverage } from './coverage.ts'
import type { Life } from './life.ts'
import type { Scheduler } from './scheduler.ts'

/** Where the log of a world lives. */
export interface LogHost {
  /** Opens it for a process. */
  open(life: Life): Promise<Log>
  /** The process is dead; what it leaves behind is what the next one finds. */
  died(cleanly: boolean): void
  /** A bit was flipped: from now on LOG_CORRUPT is an answer that may come. */
  readonly rotten: boolean
}

/** One log for all processes: what took effect stays. */
export class MemoryHost implements LogHost {
  readonly rotten = false
  private readonly log: Log

  constructor(scheduler: Scheduler) {
    this.log = new MemoryLog({ clock: scheduler })
  }

  async open(): Promise<Log> {
    return this.log
  }

  died(): void {}
}

export interface DiskFaults {
  readonly syncFails: number
  readonly writeFull: number
  readonly powerLoss: number
  readonly rot: boolean
  /** Changes of the disk after which a process is killed, drawn below this; 0 for never. */
  readonly operationsMax: number
}

// Above what the head of a file takes with the topics and producers of these jobs.
const settings = {
  logFileBytes: 64_000,
  ownSegmentBytesMin: 3000,
  mixedSegmentsMax: 3,
  joinedBlockBytes: 2500,
  reserveBytes: 2048,
  rewriteBacklogBytesMax: 640_000,
}

/** The embedded log on a disk that loses what was not synced, tears writes, fills up and rots. */
export class EmbeddedHost implements LogHost {
  rotten = false
  readonly disk: SimDisk
  private readonly random: Random
  private readonly faults: { -readonly [Name in keyof DiskFaults]: DiskFaults[Name] }
  private readonly coverage: Coverage
  private readonly seed: number
  private fs: SimFs | undefined = undefined

  constructor(seed: number, random: Random, faults: DiskFaults, coverage: Coverage) {
    this.seed = seed
    this.random = random
    this.faults = { ...faults }
    this.coverage = coverage
    this.disk = new SimDisk(seed ^ 0x7f4a7c15)
  }

  async open(life: Life): Promise<Log> {
    const { random, faults } = this
    const operationsMax = faults.operationsMax > 0 && random.chance(0.5) ? random.int(faults.operationsMax) : Number.POSITIVE_INFINITY
    const fs = this.disk.mount({ operationsMax, faults: { ...noSimFaults, syncFails: faults.syncFails, writeFull: faults.writeFull } })
    this.fs = fs
    const die = () => life.kill('lost')
    void fs.killed.then(die)
    return EmbeddedLog.open({
      fs,
      clock: life.clock,
      settings,
      probe: { at: (point) => this.coverage.count(`probe ${point}`) },
      newLogId: () => BigInt(this.seed),
      fatal: () => {
        this.coverage.count('log gave up')
        fs.kill('the log gave up')
      },
    })
  }

  get faulty(): boolean {
    return this.faults.syncFails > 0 || this.faults.writeFull > 0
  }

  /** Faults end: the last process is to come to its end. */
  calm(): void {
    Object.assign(this.faults, { syncFails: 0, writeFull: 0, operationsMax: 0 })
  }

  died(cleanly: boolean): void {
    const { fs, random, coverage } = this
    if (fs === undefined) return
    fs.kill('the process died')
    coverage.count('disk failures', fs.failures)
    if (!cleanly && random.chance(this.faults.powerLoss)) {
      coverage.count('power lost')
      this.disk.losePower()
    }
    if (this.faults.rot && !this.rotten && random.chance(0.5)) this.rot()
  }

  /** In any file but the newest log: a torn end of that is what a crash leaves, and looks the same. */
  private rot(): void {
    const numberOf = (name: string) => parseFileName(name)?.number ?? -1
    const names = this.disk.list().sort((a, b) => numberOf(a) - numberOf(b))
    const newestLog = names.filter((name) => parseFileName(name)?.kind === 'log').at(-1)
    const old = names.filter((name) => name !== newestLog && numberOf(name) >= 0 && this.disk.find(name).memory.length > 0)
    const name = old[this.random.int(old.length)]
    if (name === undefined) return
    const inode = this.disk.find(name)
    if (inode.dirty.size > 0 || inode.disk.length !== inode.memory.length) return
    const position = this.random.int(inode.memory.length)
    const flipped = inode.memory.bytes[position]! ^ (1 << this.random.int(8))
    inode.memory.bytes[position] = flipped
    inode.disk.bytes[position] = flipped
    this.rotten = true
    this.coverage.count('bit flipped')
  }
}
