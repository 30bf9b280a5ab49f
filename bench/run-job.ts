import { fileURLToPath } from 'node:url'
import { DataDirectory } from '../deploy/data-directory.ts'
import { openJobFile } from '../deploy/load-job-file.ts'
import { realClock } from '../deploy/real-clock.ts'
import type { Totals } from '../engine/model/slice.ts'
import type { TaskState } from '../engine/ports/state.ts'
import { noMetrics, noProbe, type Probe, silentLogger } from '../engine/ports/world.ts'
import { runJob } from '../engine/runtime/job-run.ts'
import { defaultRuntimeSettings, type RuntimeSettings } from '../engine/runtime/settings.ts'
import type { RunUntil } from '../engine/runtime/task-life.ts'
import type { Profiler } from './profiler.ts'

const roomyBytes = 4 * 2 ** 30

/** A data directory as `reprise run` opens it: every commit is synced. */
export function openData(
  directory: string,
  { probe = noProbe, memoryBytesMax = roomyBytes }: { probe?: Probe; memoryBytesMax?: number } = {},
) {
  return DataDirectory.open({ directory, logger: silentLogger, probe, memoryBytesMax })
}

export interface BenchJob {
  /** A query of examples/nexmark by name, or the path of a job file below the repository. */
  readonly job: string
  readonly settings?: Partial<RuntimeSettings>
}

/** Told of the totals after each acknowledged slice. */
export type OnProgress = (totals: Totals) => void

export interface PreparedJob {
  /** One task: parallelism 1. */
  run(options: { readonly until: RunUntil; readonly stop?: AbortSignal; readonly onProgress?: OnProgress }): Promise<Totals>
  /** The most bytes the state held in memory after a slice, as it counts them. */
  stateBytesMax(): number
}

/** Bundles and loads a job as `reprise run` does, so that what remains is the run itself. */
export async function prepareJob(data: DataDirectory, { job, settings }: BenchJob, probe: Probe = noProbe): Promise<PreparedJob> {
  const file = await openJobFile(pathOf(job), silentLogger)
  let state: TaskState | undefined
  let stateBytesMax = 0
  return {
    stateBytesMax: () => stateBytesMax,
    run: ({ until, stop = new AbortController().signal, onProgress }) =>
      runJob({
        load: () => file.load(),
        version: 1,
        parallelism: 1,
        log: data.log,
        openState: async (task, plan, present) => (state = await data.openState(task, plan, present)),
        clock: realClock,
        logger: silentLogger,
        metrics: noMetrics,
        probe,
        settings: { ...defaultRuntimeSettings, ...settings },
        until,
        stop,
        onProgress: (_task, totals) => {
          stateBytesMax = Math.max(stateBytesMax, state?.bytesInMemory ?? 0)
          onProgress?.(totals)
        },
      }),
  }
}

export interface BenchRun {
  readonly records: number
  readonly outputs: number
  /** From the first step of recovery to the last commit and checkpoint: what a bounded run of the job takes, without loading it. */
  readonly seconds: number
  readonly stateBytesMax: number
}

export interface RunToEnd extends BenchJob {
  readonly dataDir: string
  readonly records: number
  readonly memoryBytesMax?: number
  /** Told of every point of commit, checkpoint and recovery as it is passed. */
  readonly probe?: (point: string) => void
  readonly onProgress?: OnProgress
  readonly profiler?: Profiler | undefined
}

/** Runs a job over all that its log holds, as complete input: every window gives its result. Throws when it did not take `records`. */
export async function runToEnd({
  dataDir,
  records,
  memoryBytesMax,
  probe: at,
  onProgress,
  profiler,
  ...bench
}: RunToEnd): Promise<BenchRun> {
  const probe = at === undefined ? noProbe : { at }
  const data = await openData(dataDir, { probe, ...(memoryBytesMax === undefined ? {} : { memoryBytesMax }) })
  const job = await prepareJob(data, bench, probe)
  await profiler?.start()
  const started = performance.now()
  const totals = await job.run({ until: 'complete', ...(onProgress === undefined ? {} : { onProgress }) })
  const seconds = (performance.now() - started) / 1000
  await profiler?.stop()
  await data.close()
  if (totals.processed !== records) throw new Error(`${bench.job} processed ${totals.processed} of ${records} records`)
  const outputs = Object.values(totals.out).reduce((sum, count) => sum + count, 0)
  return { records, outputs, seconds, stateBytesMax: job.stateBytesMax() }
}

function pathOf(job: string): string {
  const root = new URL(import.meta.url.endsWith('.ts') ? '../' : '../../', import.meta.url)
  return fileURLToPath(new URL(job.endsWith('.ts') ? job : `examples/nexmark/${job}.ts`, root))
}
