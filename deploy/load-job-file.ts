import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Topology } from '../engine/model/topology.ts'
import type { Logger } from '../engine/ports/world.ts'
import { type JobBundle, loadJob } from '../engine/runtime/load-job.ts'
import { JobPresent } from '../engine/runtime/sandbox/job-present.ts'
import { bundleJob } from './bundle.ts'
import { loadInTime } from './load-in-time.ts'

export interface JobFile {
  readonly bundle: JobBundle
  /** A fresh instance at each call, with the cell its code reads time and chance from. */
  load(): { readonly topology: Topology; readonly present: JobPresent }
}

/** Bundles a job file and makes it ready to be loaded. Errors: those of bundleJob; `load`: those of loadJob. */
export async function openJobFile(file: string, logger: Logger): Promise<JobFile> {
  return jobOfBundle(await bundleJob(file), logger, `${pathToFileURL(path.dirname(path.resolve(file))).href}/`)
}

/** @param sourceRoot what the names in stack traces are relative to. Errors of `load`: those of loadJob; JOB_LOAD_FAILED also when it does not come back. */
export async function jobOfBundle(bundle: JobBundle, logger: Logger, sourceRoot?: string, withinMs?: number): Promise<JobFile> {
  const reprise = await import('../index.ts')
  return {
    bundle,
    load() {
      const present = new JobPresent()
      const host = { modules: { reprise }, present, logger, ...(sourceRoot === undefined ? {} : { sourceRoot }) }
      return { topology: loadInTime(bundle, () => loadJob(bundle, host), withinMs), present }
    },
  }
}
