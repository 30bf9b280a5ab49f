import { spawnSync } from 'node:child_process'

/** How processes are started on one core; `undefined` when this machine has no taskset. */
export interface Pin {
  readonly core: number
  /** @returns command and arguments that run the given ones on the core. */
  wrap(command: string, args: readonly string[]): readonly [string, readonly string[]]
}

/** The highest core this process may use: the lowest one tends to serve interrupts. */
export function findPin(): Pin | undefined {
  const shown = spawnSync('taskset', ['-cp', String(process.pid)], { encoding: 'utf8' })
  if (shown.status !== 0) return undefined
  const last = /(\d+)\s*$/.exec(shown.stdout)
  if (last === null) return undefined
  const core = Number(last[1])
  return { core, wrap: (command, args) => ['taskset', ['-c', String(core), command, ...args]] }
}
