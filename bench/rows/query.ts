import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { cloneData } from '../data-dir.ts'
import { GcPauses } from '../gc-pauses.ts'
import type { Input, Row, RowContext, RowResult } from '../row.ts'
import { runToEnd } from '../run-job.ts'
import { median, spread } from '../statistics.ts'

interface Limits {
  /** Multiples of the bare loop: what must be reached, what to aim at. */
  readonly floor: number
  readonly goal: number
  /** Reaching this many outputs/s also passes the floor. */
  readonly outputsPerSecond?: number
}

const bareRecords = 1_000_000

/** As a live source leaves them behind. */
const single: Input = { kind: 'bids', recordsPerCommit: 1 }

/** 400 s of event time. */
const records = 3_680_000

function query(name: string, about: string, limits: Limits, { file = name, ...more }: Partial<Row> & { file?: string } = {}): Row {
  return { name, about, records, input: { kind: 'bids' }, run: (context) => measure(context, file, limits), ...more }
}

export const queryRows: readonly Row[] = [
  query('q0', 'pass-through: five fields read and written', { floor: 0.8, goal: 1.5 }),
  query('q2', 'selection of one auction in 123', { floor: 1.7, goal: 2.7 }),
  query('q5', 'count per auction, 10 s every 2 s', { floor: 1.2, goal: 2.0 }),
  query('q5-60-1', 'count per auction, 60 s every 1 s', { floor: 0.4, goal: 0.8, outputsPerSecond: 1_500_000 }),
  query('q11', 'count per bidder, sessions with a gap of 10 s', { floor: 1.3, goal: 2.3 }),
  query('q12', 'count per bidder, tumbling 10 s of event time', { floor: 1.3, goal: 2.2 }, { file: 'q12-event-time' }),
  query('q0-single', 'q0 over bids that came one a commit', { floor: 0.5, goal: 1 }, { file: 'q0', records: 400_000, input: single }),
]

/** Runs that are not counted: each brings functions of its own, and only from the fourth on does the compiler leave alone what calls them. */
const warmUps = 3

/** Repetitions of bare loop and job by turns. */
async function measure(
  { workDir, inputDir, records, repetitions, bare, profiler }: RowContext,
  file: string,
  limits: Limits,
): Promise<RowResult> {
  const rates: number[] = []
  const ratios: number[] = []
  const bares: number[] = []
  const outputs: number[] = []
  let gcMsMax = 0
  for (let repetition = 1 - warmUps; repetition <= repetitions; repetition++) {
    const before = bare.run(bareRecords)
    const dataDir = join(workDir, `run-${repetition}`)
    cloneData(inputDir, dataDir)
    const gc = new GcPauses()
    const run = await runToEnd({ dataDir, job: file, records, profiler: repetition === repetitions ? profiler : undefined })
    const pauses = await gc.stop()
    rmSync(dataDir, { recursive: true })
    // Before and after: on a shared machine the speed changes within seconds.
    const base = 2 / (1 / before + 1 / bare.run(bareRecords))
    if (repetition <= 0) continue
    rates.push(run.records / run.seconds)
    ratios.push(run.records / run.seconds / base)
    bares.push(base)
    outputs.push(run.outputs / run.seconds)
    for (const { ms } of pauses) gcMsMax = Math.max(gcMsMax, ms)
  }
  const ratio = median(ratios)
  const outputsPerSecond = median(outputs)
  const passed = ratio >= limits.floor || (limits.outputsPerSecond !== undefined && outputsPerSecond >= limits.outputsPerSecond)
  return {
    recordsPerSecond: median(rates),
    ratio,
    values: {
      floor: limits.floor,
      goal: limits.goal,
      outputsPerSecond,
      barePerSecond: median(bares),
      ratioSpread: spread(ratios),
      gcMsMax,
    },
    missed: passed ? [] : [`ratio ${ratio.toFixed(2)} < ${limits.floor}`],
  }
}
