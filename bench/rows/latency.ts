import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BlockView } from '../../engine/block/block-view.ts'
import type { LogReader } from '../../engine/ports/log.ts'
import { BidSender, bidsTopic } from '../bids-topic.ts'
import { now } from '../gc-pauses.ts'
import { openBenchLog } from '../open-bench-log.ts'
import type { Row, RowContext, RowResult } from '../row.ts'
import { prepareJob } from '../run-job.ts'
import { quantile } from '../statistics.ts'

const ratePerSecond = 1000
const warmUpRecords = 3_000
const limits = { p50Ms: 5, p99Ms: 25 }

/**
 * One record after the other through q0, while nothing waits: from the moment it was due to be sent until a reader of the output has it.
 * Two durable commits lie in between. Sender, job and reader share the process and its core.
 */
export const latency: Row = {
  name: 'latency',
  about: `a record from sending to reading at ${ratePerSecond} records/s`,
  records: 20_000,
  input: { kind: 'none' },
  run: measure,
}

async function measure({ workDir, records }: RowContext): Promise<RowResult> {
  const dataDir = join(workDir, 'latency')
  const log = await openBenchLog(dataDir)
  await log.createTopic({ name: bidsTopic, partitions: 1, kind: 'stream' })
  await log.createTopic({ name: 'nexmark-q0', partitions: 1, kind: 'stream' })
  const job = await prepareJob({ log, dataDir, job: 'q0' })
  const stop = new AbortController()
  const running = job.run({ until: 'stopped', stop: stop.signal })
  const total = warmUpRecords + records
  const reading = arrivals(
    log.reader('nexmark-q0', 0, 0),
    total,
    (seen) => log.changed(seen),
    () => log.changes(),
  )
  const dueAt = await send(new BidSender(await log.producer('bench-source')), total)
  const arrivedAt = await reading
  stop.abort()
  await running
  await log.close()
  const ms = Array.from({ length: records }, (_, i) => arrivedAt[warmUpRecords + i]! - dueAt[warmUpRecords + i]!)
  const values = { p50Ms: quantile(ms, 0.5), p99Ms: quantile(ms, 0.99), p999Ms: quantile(ms, 0.999), maxMs: quantile(ms, 1) }
  const missed = (['p50Ms', 'p99Ms'] as const).filter((name) => !(values[name] <= limits[name]))
  const span = dueAt[total - 1]! - dueAt[warmUpRecords]!
  return {
    recordsPerSecond: ((records - 1) * 1000) / span,
    values,
    missed: missed.map((name) => `${name} ${values[name].toFixed(1)} > ${limits[name]}`),
  }
}

/** Sends on a fixed timetable: what is late in being sent counts from when it was due. */
async function send(sender: BidSender, total: number): Promise<Float64Array> {
  const dueAt = new Float64Array(total)
  const sends: Promise<void>[] = []
  const start = now()
  for (let i = 0; i < total; ) {
    for (; i < total && start + (i * 1000) / ratePerSecond <= now(); i++) {
      dueAt[i] = start + (i * 1000) / ratePerSecond
      sends.push(sender.send())
    }
    await sleep(1)
  }
  await Promise.all(sends)
  return dueAt
}

/** When each record of the output was there to be read. */
async function arrivals(
  reader: LogReader,
  total: number,
  changed: (seen: number) => Promise<void>,
  changes: () => number,
): Promise<Float64Array> {
  const arrivedAt = new Float64Array(total)
  for (let arrived = 0; arrived < total; ) {
    const seen = changes()
    const chunk = await reader.read(1 << 20)
    if (chunk === null) {
      await changed(seen)
      continue
    }
    const last = new BlockView(chunk, chunk.blocks.at(-1)!)
    const at = now()
    while (arrived < last.endOffset) arrivedAt[arrived++] = at
    chunk.release()
  }
  await reader.close()
  return arrivedAt
}
