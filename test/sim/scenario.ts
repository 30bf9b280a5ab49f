import type { RuntimeSettings } from '../../engine/runtime/settings.ts'
import { type FaultRates, noFaults } from '../support/faulty-log.ts'
import { Random } from '../support/random.ts'
import { drawJob, poison, type SimInput, type SimJob, type SimRecord, unreadable } from './jobs.ts'
import type { DiskFaults } from './log-host.ts'

/** How one process ends. */
export interface LifePlan {
  readonly steps: number
  readonly end: 'kill, commits lost' | 'kill, commits arrive' | 'crash signal' | 'clean stop' | 'zombie'
}

export interface Burst {
  readonly topic: string
  readonly partition: number
  readonly records: readonly SimRecord[]
  /** The feeder waits this long before it. */
  readonly afterMs: number
}

/** Everything about a run that is decided before it begins; all of it follows from the seed. */
export interface Scenario {
  readonly seed: number
  readonly job: SimJob
  readonly input: SimInput
  readonly partitions: Readonly<Record<string, number>>
  readonly parallelism: number
  readonly bursts: readonly Burst[]
  readonly lives: readonly LifePlan[]
  /** Of the lives that begin when all input is there and complete it. */
  readonly endings: readonly LifePlan[]
  readonly settings: RuntimeSettings
  readonly faults: FaultRates
  readonly checkpointFaults: boolean
  readonly memoryBytesMax: number
  /** Absent: the memory log. */
  readonly disk: DiskFaults | undefined
}

export const startAt = 1_700_000_000_000

export function drawScenario(seed: number): Scenario {
  const random = new Random(seed)
  const outOfOrdernessMs = random.chance(0.3) ? 0 : random.int(2000)
  const idleAfterMs = random.chance(0.35) ? 5 + random.int(200) : undefined
  const job = drawJob({ random, outOfOrdernessMs, idleAfterMs })
  const partitions = Object.fromEntries(job.sources.map((name) => [name, 1 + random.int(4)]))
  const input = drawInput(random, job, partitions)
  const faulty = random.chance(0.4)
  const rate = () => (faulty && random.chance(0.6) ? random.next() * 0.15 : 0)
  const scenario: Omit<Scenario, 'disk'> = {
    seed,
    job,
    input,
    partitions,
    parallelism: 1 + random.int(3),
    bursts: drawBursts(random, input),
    lives: drawLives(random, random.int(5)),
    endings: drawLives(random, random.int(3)),
    settings: drawSettings(random),
    faults: faulty
      ? { commitRefused: rate(), answerLost: rate(), commitLost: rate(), openFailed: rate(), readFailed: rate() / 8 }
      : noFaults,
    checkpointFaults: random.chance(0.3),
    memoryBytesMax: random.chance(0.2) ? 4096 : 256 << 20,
  }
  // Drawn last: the same seeds on the memory log stay what they were.
  const disk = random.chance(0.4) ? drawDisk(random) : undefined
  const owned = (lives: readonly LifePlan[]) => lives.map((life) => ownerOf(life, disk))
  return { ...scenario, disk, lives: owned(scenario.lives), endings: owned(scenario.endings) }
}

function drawDisk(random: Random): DiskFaults {
  return {
    syncFails: random.chance(0.2) ? 0.01 : 0,
    writeFull: random.chance(0.3) ? 0.05 : 0,
    powerLoss: random.chance(0.7) ? 0.7 : 0,
    rot: random.chance(0.2),
    operationsMax: random.chance(0.5) ? 1 + random.int(600) : 0,
  }
}

/** One process at a time owns the embedded log. */
function ownerOf(life: LifePlan, disk: DiskFaults | undefined): LifePlan {
  return disk !== undefined && life.end === 'zombie' ? { ...life, end: 'kill, commits lost' } : life
}

/** By source partition; some of it late. */
export function drawInput(
  random: Random,
  job: Pick<SimJob, 'kind' | 'outOfOrdernessMs'>,
  partitions: Readonly<Record<string, number>>,
): SimInput {
  const keys = Array.from({ length: 1 + random.int(6) }, (_, i) => `${'abc'[i % 3]}${i}`)
  const lateRate = random.chance(0.7) ? 0.15 : 0
  const badRate = job.kind.startsWith('stateless') ? 0.15 : 0
  let id = 0
  const input: Record<string, SimRecord[][]> = {}
  for (const [topic, count] of Object.entries(partitions)) {
    input[topic] = Array.from({ length: count }, () => {
      let time = startAt - 100_000 + random.int(5000)
      const step = 1 + random.int(1200)
      return Array.from({ length: random.chance(0.1) ? 0 : 5 + random.int(50) }, (): SimRecord => {
        time += random.int(step)
        const back = random.chance(lateRate)
          ? random.int(random.chance(0.6) ? 4000 : 15_000)
          : random.chance(0.4)
            ? random.int(job.outOfOrdernessMs + 1)
            : 0
        const amount = random.chance(badRate) ? (random.chance(0.5) ? poison : unreadable) : random.int(1000)
        return { id: id++, key: keys[random.int(keys.length)]!, time: time - back, amount }
      })
    })
  }
  return input
}

/** In which pieces the input comes. */
export function drawBursts(random: Random, input: SimInput): Burst[] {
  const left = Object.entries(input).flatMap(([topic, partitions]) =>
    partitions.map((records, partition) => ({ topic, partition, records, next: 0 })),
  )
  const bursts: Burst[] = []
  const largest = 1 + random.int(30)
  const quiet = random.chance(0.5)
  for (;;) {
    const open = left.filter(({ records, next }) => next < records.length)
    if (open.length === 0) return bursts
    // Some partitions come late, so that others wait for them or they are taken for idle.
    const from = open[random.chance(0.5) ? 0 : random.int(open.length)]!
    const records = from.records.slice(from.next, from.next + 1 + random.int(largest))
    from.next += records.length
    bursts.push({ topic: from.topic, partition: from.partition, records, afterMs: quiet && random.chance(0.2) ? random.int(500) : 0 })
  }
}

function drawLives(random: Random, count: number): LifePlan[] {
  const ends = ['kill, commits lost', 'kill, commits arrive', 'crash signal', 'clean stop', 'zombie'] as const
  return Array.from({ length: count }, () => ({
    steps: random.chance(0.3) ? random.int(30) : random.int(600),
    end: ends[random.int(ends.length)]!,
  }))
}

export function drawSettings(random: Random): RuntimeSettings {
  const small = () => random.chance(0.4)
  return {
    sliceRecordsMax: small() ? 1 + random.int(4) : 1 + random.int(60),
    readAheadBytesMax: small() ? 1 : 1 << (8 + random.int(8)),
    chunkBytes: small() ? 1 : 1 << (6 + random.int(10)),
    outputsMax: small() ? 1 + random.int(3) : 1 + random.int(100),
    commitsInFlightMax: 1 + random.int(3),
    maxDriftMs: small() ? random.int(3000) : 60_000,
    checkpointEveryMs: small() ? 0 : random.int(400),
    stepMs: small() ? 0 : 2,
    retryBackoffMs: 1 + random.int(20),
    failuresMax: 1000,
  }
}
