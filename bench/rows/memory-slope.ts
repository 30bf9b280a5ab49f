import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { cloneData } from '../data-dir.ts'
import { now } from '../gc-pauses.ts'
import type { Row, RowContext, RowResult } from '../row.ts'
import { runToEnd } from '../run-job.ts'
import { slope } from '../statistics.ts'

const sampleEveryMs = 250
const mib = 2 ** 20
const limitMibPerMinute = 1

/** A long run of q5: memory must not grow with the records that have passed. */
export const memorySlope: Row = {
  name: 'memory-slope',
  about: 'growth of the resident set over the last half of a long run of q5, garbage collected before each look',
  records: 20_000_000,
  input: { kind: 'bids' },
  run: measure,
}

/**
 * The run is over in a quarter of a minute, so that the slope a minute has an error of several MiB: the row is missed when the slope is above the limit
 * by more than twice its standard error. As in other rows a first run of the same is not counted: it fills what is compiled and pooled once. What both
 * hold in their last halves is told beside the slope.
 */
async function measure({ workDir, inputDir, records, profiler }: RowContext): Promise<RowResult> {
  const dataDir = join(workDir, 'memory-slope')
  const first = await lastHalfOf(dataDir, { inputDir, records })
  const second = await lastHalfOf(dataDir, { inputDir, records, profiler })
  const { slope: rssMibPerMinute, error: standardError } = slope(second.samples)
  return {
    recordsPerSecond: second.recordsPerSecond,
    values: {
      rssMibPerMinute,
      standardError,
      firstRunMib: meanOf(first.samples),
      secondRunMib: meanOf(second.samples),
      samples: second.samples.length,
    },
    missed:
      rssMibPerMinute - 2 * standardError < limitMibPerMinute
        ? []
        : [`slope ${rssMibPerMinute.toFixed(1)} ± ${standardError.toFixed(1)} MiB/min >= ${limitMibPerMinute}`],
  }
}

/** One run, and the resident set (minutes, MiB) over the last half of it. */
async function lastHalfOf(dataDir: string, { inputDir, ...run }: Pick<RowContext, 'inputDir' | 'records'> & Partial<RowContext>) {
  cloneData(inputDir, dataDir)
  const collect = collector()
  const samples: (readonly [minutes: number, mib: number])[] = []
  const timer = setInterval(() => {
    collect()
    samples.push([now() / 60_000, process.memoryUsage.rss() / mib])
  }, sampleEveryMs)
  // The last results and the last checkpoint, when all input was taken, are not about records that pass.
  let before = 0
  const onProgress = (totals: { readonly in: number }) => {
    if (totals.in < run.records) before = samples.length
  }
  const { records, seconds } = await runToEnd({ dataDir, job: 'q5', ...run, onProgress })
  clearInterval(timer)
  rmSync(dataDir, { recursive: true })
  return { recordsPerSecond: records / seconds, samples: samples.slice(before >> 1, before) }
}

function meanOf(samples: readonly (readonly [number, number])[]): number {
  return samples.reduce((sum, [, mib]) => sum + mib, 0) / samples.length
}

/** A full collection, at once. */
function collector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}
