import { join } from 'node:path'
import { cloneData } from '../data-dir.ts'
import type { Profiler } from '../profiler.ts'
import type { Row, RowContext, RowResult } from '../row.ts'
import { runToEnd } from '../run-job.ts'

const keys = 2_000_000

/** The same job twice: with room for its whole state, and with room for a quarter. Keys are touched at random, which no cache helps. */
export const spill: Row = {
  name: 'spill',
  about: 'state four times larger than its memory budget, keys touched at random',
  records: 2 * keys,
  input: { kind: 'events', keys },
  run: measure,
}

async function measure({ workDir, inputDir, records, bare, profiler }: RowContext): Promise<RowResult> {
  const base = bare.run(1_000_000)
  const run = async (name: string, more: { memoryBytesMax?: number; profiler?: Profiler | undefined } = {}) => {
    const dataDir = join(workDir, name)
    cloneData(inputDir, dataDir)
    return runToEnd({ dataDir, job: 'bench/jobs/count-by-key.ts', records, ...more })
  }
  const roomy = await run('roomy')
  const stateBytes = roomy.stateBytesMax
  const tight = await run('tight', { memoryBytesMax: Math.ceil(stateBytes / 4), profiler })
  const rate = tight.records / tight.seconds
  return {
    recordsPerSecond: rate,
    ratio: rate / base,
    values: { inMemoryPerSecond: roomy.records / roomy.seconds, stateMib: stateBytes / 2 ** 20, budgetMib: stateBytes / 4 / 2 ** 20 },
    missed: [],
  }
}
