import { StreamError } from '../engine/errors.ts'
import type { JobBundle } from '../engine/runtime/load-job.ts'

/** The job's code did not let itself be loaded. */
export function loadFailed({ name }: JobBundle, reason: string): StreamError {
  const fix = 'what runs when the file is loaded only defines the job: move all else into its functions'
  return new StreamError('JOB_LOAD_FAILED', { job: name, reason }, { fix })
}
