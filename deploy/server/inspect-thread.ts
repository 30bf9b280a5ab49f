import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../engine/assert.ts'
import { factsOf, StreamError } from '../../engine/errors.ts'
import { silentLogger } from '../../engine/ports/world.ts'
import type { JobBundle } from '../../engine/runtime/load-job.ts'
import { loadInTime } from '../load-in-time.ts'
import { jobOfBundle } from '../load-job-file.ts'
import { inspectJob } from './inspected-job.ts'
import { stayBehind } from './thread-priority.ts'

// Loads a bundle in a thread of its own and says what is in it: loading runs its code.

assert(parentPort !== null, 'this file runs in a thread of its own')
const port = parentPort
const bundle = workerData as JobBundle

stayBehind()

jobOfBundle(bundle, silentLogger).then(
  (job) => {
    try {
      const { topology } = job.load()
      // What was defined may be code, too: getters, schemas.
      port.postMessage({ found: loadInTime(bundle, () => inspectJob(topology, bundle.sha256)) })
    } catch (error) {
      refuse(error)
    }
  },
  (error: unknown) => refuse(error),
)

function refuse(error: unknown): void {
  const facts = factsOf(error instanceof StreamError ? error : asLoadFailure(error))
  // What job code puts into details may be anything.
  port.postMessage({ refused: { ...facts, details: JSON.parse(JSON.stringify(facts.details)) as object } })
}

function asLoadFailure(error: unknown): StreamError {
  return new StreamError('JOB_LOAD_FAILED', { job: bundle.name, reason: String(error) })
}
