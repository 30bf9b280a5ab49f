import { runInNewContext } from 'node:vm'

/**
 * What `call` gives, which has to come back within `ms`: code that loops can be stopped from outside only. What it throws goes on as it is.
 * @throws what `late` gives.
 */
export function inTime<T>(call: () => T, ms: number, late: () => Error): T {
  try {
    return runInNewContext('call()', { call }, { timeout: ms })
  } catch (error) {
    throw isTimeout(error) ? late() : error
  }
}

function isTimeout(error: unknown): boolean {
  return (error as { code?: unknown } | undefined)?.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
}
