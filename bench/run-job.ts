import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { bundleJob } from '../deploy/bundle.ts'
import { realClock } from '../deploy/real-clock.ts'
import type { Totals } from '../engine/model/slice.ts'
import type { Topology } from '../engine/model/topology.ts'
import type { Log } from '../engine/ports/log.ts'
import { noMetrics, type Probe, silentLogger } from '../engine/ports/world.ts'
import { runJob } from '../engine/runtime/job-run.ts'
import { loadJob } from '../engine/runtime/load-job.ts'
import { JobPresent } from '../engine/runtime/sandbox/job-present.ts'
import { defaultRuntimeSettings, type RuntimeSettings } from '../engine/runtime/settings.ts'
import type { RunUntil } from '../engine/runtime/task-life.ts'
import * as reprise from '../index.ts'
import { openBenchLog } from './open-bench-log.ts'
import { openState, type StateUse } from './open-state.ts'
import type { Profiler } from './profiler.ts'

export interface BenchJob {
  /** Of the log; the state lies in a directory beside its files. */
  readonly dataDir: string
  /** A query of examples/nexmark by name, or the path of a job file below the repository. */
  readonly job: string
  readonly settings?: Partial<RuntimeSettings>
  readonly stateMemoryBytes?: number
  /** Told of every point of commit, checkpoint and recovery as it is passed. */
  readonly probe?: (point: string) => void
}

export interface BenchRun extends StateUse {
  readonly records: number
  readonly outputs: number
  /** From the first step of recovery to the last commit and checkpoint: what a bounded run of the job takes, without loading it. */
  readonly seconds: number
}

export interface PreparedJob {
  run(options: { readonly until: RunUntil; readonly stop?: AbortSignal }): Promise<Totals & StateUse>
}

/** Bundles and loads a job as `reprise run` does, so that what remains is the run itself. One task: parallelism 1. */
export async function prepareJob({ log, ...job }: BenchJob & { readonly log: Log }): Promise<PreparedJob> {
  const bundle = await bundleJob(pathOf(job.job))
  const load = () => {
    const present = new JobPresent()
    return { topology: loadJob(bundle, { modules: { reprise }, present, logger: silentLogger }) as Topology, present }
  }
  const probe: Probe = { at: job.probe ?? (() => {}) }
  return {
    async run({ until, stop = new AbortController().signal }) {
      const state = openState({ dir: join(job.dataDir, 'state'), memoryBytesMax: job.stateMemoryBytes, probe })
      const totals = await runJob({
        load,
        version: 1,
        parallelism: 1,
        log,
        openState: state.open,
        clock: realClock,
        logger: silentLogger,
        metrics: noMetrics,
        probe,
        settings: { ...defaultRuntimeSettings, ...job.settings },
        until,
        stop,
      })
      return { ...totals, ...state.use() }
    },
  }
}

/** Runs a job over all that its log holds, as complete input: every window gives its result. Throws when it did not take `records`. */
export async function runToEnd(
  options: BenchJob & { readonly records: number; readonly profiler?: Profiler | undefined },
): Promise<BenchRun> {
  const log = await openBenchLog(options.dataDir)
  const job = await prepareJob({ log, ...options })
  await options.profiler?.start()
  const started = performance.now()
  const totals = await job.run({ until: 'complete' })
  const seconds = (performance.now() - started) / 1000
  await options.profiler?.stop()
  await log.close()
  if (totals.processed !== options.records) throw new Error(`${options.job} processed ${totals.processed} of ${options.records} records`)
  const outputs = Object.values(totals.out).reduce((sum, count) => sum + count, 0)
  return { records: totals.processed, outputs, seconds, stateBytes: totals.stateBytes }
}

function pathOf(job: string): string {
  const root = new URL(import.meta.url.endsWith('.ts') ? '../' : '../../', import.meta.url)
  return fileURLToPath(new URL(job.endsWith('.ts') ? job : `examples/nexmark/${job}.ts`, root))
}
