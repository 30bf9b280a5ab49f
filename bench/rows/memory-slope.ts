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
 * by more than twice its standard error. As in other rows a first run of the same is not counted: it fills what is compiled and pooled once.
 */
async function measure({ workDir, inputDir, records, profiler }: RowContext): Promise<RowResult> {
  const warmUpDir = join(workDir, 'memory-slope-warm-up')
  cloneData(inputDir, warmUpDir)
  await runToEnd({ dataDir: warmUpDir, job: 'q5', records })
  rmSync(warmUpDir, { recursive: true })
  const dataDir = join(workDir, 'memory-slope')
  cloneData(inputDir, dataDir)
  const collect = collector()
  const samples: (readonly [number, number])[] = []
  const timer = setInterval(() => {
    collect()
    samples.push([now() / 60_000, process.memoryUsage.rss() / mib])
  }, sampleEveryMs)
  // The last results and the last checkpoint, when all input was taken, are not about records that pass.
  let before = 0
  const run = await runToEnd({
    dataDir,
    job: 'q5',
    records,
    profiler,
    onProgress: (totals) => {
      if (totals.in < records) before = samples.length
    },
  })
  clearInterval(timer)
  const lastHalf = samples.slice(before >> 1, before)
  const { slope: rssMibPerMinute, error: standardError } = slope(lastHalf)
  return {
    recordsPerSecond: run.records / run.seconds,
    values: { rssMibPerMinute, standardError, rssMibMax: Math.max(...samples.map(([, rss]) => rss)), samples: lastHalf.length },
    missed:
      rssMibPerMinute - 2 * standardError < limitMibPerMinute
        ? []
        : [`slope ${rssMibPerMinute.toFixed(1)} ± ${standardError.toFixed(1)} MiB/min >= ${limitMibPerMinute}`],
  }
}

/** A full collection, at once. */
function collector(): () => void {
  setFlagsFromString('--expose-gc')
  return runInNewContext('gc') as () => void
}
