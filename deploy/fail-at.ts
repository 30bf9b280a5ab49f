import type { Probe } from '../engine/ports/world.ts'
import { noProbe } from '../engine/ports/world.ts'

/**
 * `REPRISE_FAIL_AT=point` or `point:n`: the process kills itself, as kill -9 would, when it comes to the named point for the n-th time.
 * For the kill matrix.
 */
export function failAt(setting: string | undefined): Probe {
  if (setting === undefined || setting === '') return noProbe
  const [point, count = '1'] = setting.split(':')
  let left = Number(count)
  return {
    at(reached) {
      if (reached === point && --left === 0) process.kill(process.pid, 'SIGKILL')
    },
  }
}
