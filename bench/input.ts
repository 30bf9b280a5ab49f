import { existsSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fillBids } from './bids-topic.ts'
import { fillEvents } from './events-topic.ts'
import type { Input } from './row.ts'
import { openData } from './run-job.ts'

const bidPartitions = 4
const rewriteMsMax = 300_000

/** @returns a closed data directory below `dir` with this input, made unless it is there. */
export async function prepareInput(dir: string, input: Input, records: number): Promise<string> {
  const name = input.kind === 'events' ? `events-${records}-of-${input.keys}` : `${input.kind}-${records}`
  const ready = join(dir, name)
  if (existsSync(ready)) return ready
  // Under another name until it is complete.
  const making = `${ready}.making`
  const data = await openData(making)
  if (input.kind === 'bids') await fillBids(data.log, records, bidPartitions)
  if (input.kind === 'events') await fillEvents(data.log, records, input.keys)
  await rewritten(join(making, 'log'))
  await data.close()
  renameSync(making, ready)
  return ready
}

/** Until the log has moved what was appended into segments: else each run would begin with that work. */
async function rewritten(logDir: string): Promise<void> {
  const logFiles = () => readdirSync(logDir).filter((name) => name.endsWith('.log')).length
  for (let waitedMs = 0; logFiles() > 1 && waitedMs < rewriteMsMax; waitedMs += 50) await sleep(50)
}
