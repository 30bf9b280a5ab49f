import { runInNewContext } from 'node:vm'
import type { JobBundle } from '../engine/runtime/load-job.ts'
import { loadFailed } from './load-failed.ts'

const loadMsMax = 10_000

/**
 * What `call` gives, which runs code of the bundle that only defines the job: code that loops can be stopped from outside only. What it throws goes
 * on as it is. JOB_LOAD_FAILED when it does not come back.
 */
export function loadInTime<T>(bundle: JobBundle, call: () => T, withinMs = loadMsMax): T {
  try {
    return runInNewContext('call()', { call }, { timeout: withinMs })
  } catch (error) {
    throw isTimeout(error) ? loadFailed(bundle, `it did not come back within ${withinMs / 1000} s`) : error
  }
}

function isTimeout(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
}
