import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Topology } from '../engine/model/topology.ts'
import type { Logger } from '../engine/ports/world.ts'
import { type JobBundle, loadJob } from '../engine/runtime/load-job.ts'
import { JobPresent } from '../engine/runtime/sandbox/job-present.ts'
import { bundleJob } from './bundle.ts'

export interface JobFile {
  readonly bundle: JobBundle
  /** A fresh instance at each call, with the cell its code reads time and chance from. */
  load(): { readonly topology: Topology; readonly present: JobPresent }
}

/** Bundles a job file and makes it ready to be loaded. Errors: those of bundleJob; `load`: those of loadJob. */
export async function openJobFile(file: string, logger: Logger): Promise<JobFile> {
  const [bundle, reprise] = await Promise.all([bundleJob(file), import('../index.ts')])
  const sourceRoot = `${pathToFileURL(path.dirname(path.resolve(file))).href}/`
  return {
    bundle,
    load() {
      const present = new JobPresent()
      return { topology: loadJob(bundle, { modules: { reprise }, present, logger, sourceRoot }), present }
    },
  }
}
