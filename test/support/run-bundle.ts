import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { bundleJob } from '../../deploy/bundle.ts'
import { silentLogger } from '../../engine/ports/world.ts'
import { loadJob } from '../../engine/runtime/load-job.ts'
import { JobPresent } from '../../engine/runtime/sandbox/job-present.ts'

// Bundles and loads the job named on the command line in a process of its own, runs it and prints the stack of what it throws.
process.setSourceMapsEnabled(true)
const file = process.argv[2]!
const modules = { reprise: { defineJob: (job: object) => ({ job: 'test', nodes: [], ...job }) } }
const sourceRoot = `${pathToFileURL(path.dirname(file)).href}/`
const job = loadJob(await bundleJob(file), { modules, present: new JobPresent(), logger: silentLogger, sourceRoot }) as unknown as {
  run(): unknown
}
try {
  job.run()
} catch (error) {
  console.log((error as Error).stack)
}
