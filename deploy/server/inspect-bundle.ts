import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { type ErrorFacts, errorOf } from '../../engine/errors.ts'
import type { JobBundle } from '../../engine/runtime/load-job.ts'
import { loadFailed } from '../load-failed.ts'
import type { InspectedJob } from './inspected-job.ts'

const entry = new URL(`./inspect-thread${extname(fileURLToPath(import.meta.url))}`, import.meta.url)

type Answer = { readonly found: InspectedJob } | { readonly refused: ErrorFacts }

/** Loads a bundle where it can do no harm. Errors: those of loadJob; JOB_LOAD_FAILED also when it needs too much memory. */
export async function inspectBundle(bundle: JobBundle): Promise<InspectedJob> {
  const worker = new Worker(entry, { workerData: bundle, resourceLimits: { maxOldGenerationSizeMb: 256 }, env: { TZ: 'UTC' } })
  try {
    const answer = await new Promise<Answer>((resolve, reject) => {
      const failed = (reason: string) => reject(loadFailed(bundle, reason))
      worker.once('message', resolve)
      worker.once('error', (error) => failed(error.message))
      worker.once('exit', () => failed('it ended its thread'))
    })
    if ('found' in answer) return answer.found
    throw errorOf(answer.refused)
  } finally {
    worker.removeAllListeners()
    await worker.terminate()
  }
}
