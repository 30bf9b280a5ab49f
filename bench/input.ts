import { existsSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { bulkCommit, fillBids } from './bids-topic.ts'
import { fillEvents } from './events-topic.ts'
import type { Input } from './row.ts'
import { openData } from './run-job.ts'

const bidPartitions = 4

/** @returns a closed data directory below `dir` with this input, made unless it is there. */
export async function prepareInput(dir: string, input: Input, records: number): Promise<string> {
  const name = `${nameOf(input)}-${records}`
  const ready = join(dir, name)
  if (existsSync(ready)) return ready
  // Under another name until it is complete.
  const making = `${ready}.making`
  const data = await openData(making)
  if (input.kind === 'bids') await fillBids(data.log, records, bidPartitions, input.recordsPerCommit)
  if (input.kind === 'events') await fillEvents(data.log, records, input.keys)
  // Else each run would begin with that work.
  await data.log.rewrite()
  await data.close()
  renameSync(making, ready)
  return ready
}

function nameOf(input: Input): string {
  if (input.kind === 'events') return `events-of-${input.keys}`
  return input.kind === 'bids' ? `bids-by-${input.recordsPerCommit ?? bulkCommit}` : input.kind
}
