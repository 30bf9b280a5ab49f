import { join } from 'node:path'
import { defaultRuntimeSettings } from '../../engine/runtime/settings.ts'
import { cloneData } from '../data-dir.ts'
import { GcPauses, now, pausedWithin } from '../gc-pauses.ts'
import type { Row, RowContext, RowResult } from '../row.ts'
import { runToEnd } from '../run-job.ts'
import { quantile } from '../statistics.ts'

const keys = 1_000_000
const limitMs = 50
const { commitsInFlightMax } = defaultRuntimeSettings

/** Every key is in the state after the first million records; checkpoints of all of them are written while the rest keeps changing them. */
export const checkpointGap: Row = {
  name: 'checkpoint-gap',
  about: `the longest gap between slices while a checkpoint of ${keys.toLocaleString('en-US')} keys is written`,
  records: 8 * keys,
  input: { kind: 'events', keys },
  run: measure,
}

async function measure({ workDir, inputDir, records, profiler }: RowContext): Promise<RowResult> {
  const dataDir = join(workDir, 'checkpoint-gap')
  cloneData(inputDir, dataDir)
  const sliceAt: number[] = []
  const checkpointAt: number[] = []
  let beforeFiring = 0
  const gc = new GcPauses()
  const run = await runToEnd({
    dataDir,
    job: 'bench/jobs/count-by-key.ts',
    records,
    profiler,
    settings: { checkpointEveryMs: 1_000 },
    probe: (point) => {
      if (point === 'commit.sent') sliceAt.push(now())
      else if (point.startsWith('checkpoint.')) checkpointAt.push(now())
    },
    onProgress: ({ out }) => {
      if (Object.keys(out).length === 0) beforeFiring = sliceAt.length - commitsInFlightMax
    },
  })
  const pauses = await gc.stop()
  // The first million records make the table grow, at the end of the job every key is fired, in many slices: neither is about checkpoints.
  const from = beforeFiring >> 2
  const gaps: number[] = []
  for (let i = from; i < beforeFiring; i++) {
    gaps.push(sliceAt[i + 1]! - sliceAt[i]! - pausedWithin(pauses, sliceAt[i]!, sliceAt[i + 1]!))
  }
  const gapMsMax = quantile(gaps, 1)
  const gcMsMax = Math.max(0, ...pauses.map(({ ms }) => ms))
  const values = {
    gapMsMax,
    gapMsP50: quantile(gaps, 0.5),
    gcMsMax,
    checkpointPoints: checkpointAt.length,
  }
  return {
    recordsPerSecond: run.records / run.seconds,
    values,
    missed: [
      ...(gapMsMax <= limitMs ? [] : [`gap ${gapMsMax.toFixed(0)} ms > ${limitMs}`]),
      ...(gcMsMax <= limitMs ? [] : [`gc ${gcMsMax.toFixed(0)} ms > ${limitMs}`]),
    ],
  }
}
