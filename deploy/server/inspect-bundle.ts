import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { type ErrorFacts, errorOf, StreamError } from '../../engine/errors.ts'
import type { JobBundle } from '../../engine/runtime/load-job.ts'
import type { InspectedJob } from './inspected-job.ts'

const entry = new URL(`./inspect-thread${extname(fileURLToPath(import.meta.url))}`, import.meta.url)

const loadMsMax = 10_000

type Answer = { readonly found: InspectedJob } | { readonly refused: ErrorFacts }

/** Loads a bundle where it can do no harm. Errors: those of loadJob; JOB_LOAD_FAILED also when it does not come back or needs too much memory. */
export async function inspectBundle(bundle: JobBundle): Promise<InspectedJob> {
  const worker = new Worker(entry, { workerData: bundle, resourceLimits: { maxOldGenerationSizeMb: 256 }, env: { TZ: 'UTC' } })
  let timer: NodeJS.Timeout | undefined
  try {
    const answer = await new Promise<Answer>((resolve, reject) => {
      const fix = 'what runs when the file is loaded only defines the job: move all else into its functions'
      const failed = (reason: string) => reject(new StreamError('JOB_LOAD_FAILED', { job: bundle.name, reason }, { fix }))
      timer = setTimeout(() => failed(`it did not come back within ${loadMsMax / 1000} s`), loadMsMax)
      worker.once('message', resolve)
      worker.once('error', (error) => failed(error.message))
      worker.once('exit', () => failed('it ended its thread'))
    })
    if ('found' in answer) return answer.found
    throw errorOf(answer.refused)
  } finally {
    clearTimeout(timer)
    worker.removeAllListeners()
    await worker.terminate()
  }
}
