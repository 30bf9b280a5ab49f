import { expect } from 'vitest'
import { checksum } from '../../../engine/block/checksum.ts'
import type { Log } from '../../../engine/ports/log.ts'
import { FaultyLog } from '../../support/faulty-log.ts'
import { RetryingLog } from '../../support/retrying-log.ts'
import type { ContractLog, MakeLog } from './harness.ts'

const base = Number(process.env.FAULT_SEED ?? 1)

/**
 * The same log behind faults, used by a client that retries: to its user all guarantees must hold as if there were none.
 * The seed follows from the name of the test and FAULT_SEED.
 */
export function behindFaults(make: MakeLog): MakeLog {
  const used = new Map<string, number>()
  return async () => {
    const name = expect.getState().currentTestName ?? ''
    used.set(name, (used.get(name) ?? 0) + 1)
    let seed = (checksum(Buffer.from(name), 0, Buffer.byteLength(name)) + 1000 * base + used.get(name)!) >>> 0
    const wrap = (log: Log) => new RetryingLog(new FaultyLog(log, { seed: seed++ }))
    const open = await make()
    const wrapped: ContractLog = {
      log: wrap(open.log),
      reopen: async () => wrap(await open.reopen()),
      close: () => open.close(),
      ...(open.maintenance === undefined ? {} : { maintenance: open.maintenance }),
    }
    return wrapped
  }
}
