import { join } from 'node:path'
import { cloneData } from '../data-dir.ts'
import { now } from '../gc-pauses.ts'
import type { Row, RowContext, RowResult } from '../row.ts'
import { runToEnd } from '../run-job.ts'
import { slope } from '../statistics.ts'

const sampleEveryMs = 100
const mib = 2 ** 20
const limitMibPerMinute = 1

/** A long run of q5: memory must not grow with the records that have passed. */
export const memorySlope: Row = {
  name: 'memory-slope',
  about: 'growth of the resident set over the last half of a long run of q5',
  records: 20_000_000,
  input: { kind: 'bids' },
  run: measure,
}

async function measure({ workDir, inputDir, records, profiler }: RowContext): Promise<RowResult> {
  const dataDir = join(workDir, 'memory-slope')
  cloneData(inputDir, dataDir)
  const samples: (readonly [number, number])[] = []
  const timer = setInterval(() => samples.push([now() / 60_000, process.memoryUsage.rss() / mib]), sampleEveryMs)
  const run = await runToEnd({ dataDir, job: 'q5', records, profiler })
  clearInterval(timer)
  const lastHalf = samples.slice(samples.length >> 1)
  const rssMibPerMinute = slope(lastHalf)
  return {
    recordsPerSecond: run.records / run.seconds,
    values: { rssMibPerMinute, rssMibMax: Math.max(...samples.map(([, rss]) => rss)), samples: lastHalf.length },
    missed: rssMibPerMinute < limitMibPerMinute ? [] : [`slope ${rssMibPerMinute.toFixed(1)} MiB/min >= ${limitMibPerMinute}`],
  }
}
