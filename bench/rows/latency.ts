import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { BlockView } from '../../engine/block/block-view.ts'
import type { Log } from '../../engine/ports/log.ts'
import { BidSender, bidsTopic } from '../bids-topic.ts'
import { now } from '../gc-pauses.ts'
import type { Row, RowContext, RowResult } from '../row.ts'
import { openData, prepareJob } from '../run-job.ts'
import { quantile } from '../statistics.ts'

const targetPerSecond = 1000
const resultsTopic = 'nexmark-q0'
const warmUpRecords = 3_000
const limits = { p50Ms: 5, p99Ms: 25 }

/**
 * One record after the other through q0, while nothing waits: from the moment it was due to be sent until a reader of the output has it.
 * Two durable commits lie in between. Sender, job and reader share the process and its core.
 */
export const latency: Row = {
  name: 'latency',
  about: `a record from sending to reading at ${targetPerSecond} records/s`,
  records: 20_000,
  input: { kind: 'none' },
  run: measure,
}

async function measure({ workDir, records: asked }: RowContext): Promise<RowResult> {
  // More would take minutes: the rate is fixed.
  const records = Math.min(asked, 20_000)
  const data = await openData(join(workDir, 'latency'))
  const { log } = data
  const job = await prepareJob(data, { job: 'q0' })
  const stop = new AbortController()
  await log.createTopic({ name: bidsTopic, partitions: 1, kind: 'stream' })
  await log.createTopic({ name: resultsTopic, partitions: 1, kind: 'stream' })
  const running = job.run({ until: 'stopped', stop: stop.signal })
  const { ms, ratePerSecond } = await Promise.race([
    sendAndReceive(log, records),
    running.then(() => Promise.reject(new Error('the job ended'))),
  ])
  stop.abort()
  await running
  await data.close()
  const values = { p50Ms: quantile(ms, 0.5), p99Ms: quantile(ms, 0.99), p999Ms: quantile(ms, 0.999), maxMs: quantile(ms, 1) }
  const missed = (['p50Ms', 'p99Ms'] as const).filter((name) => !(values[name] <= limits[name]))
  return { recordsPerSecond: ratePerSecond, values, missed: missed.map((name) => `${name} ${values[name].toFixed(1)} > ${limits[name]}`) }
}

/** Through a job that runs already. @returns the latency of each record after the warm-up, and the rate they were sent at. */
export async function sendAndReceive(log: Log, records: number): Promise<{ ms: number[]; ratePerSecond: number }> {
  const total = warmUpRecords + records
  const reading = arrivals(log, total)
  const dueAt = await send(new BidSender(await log.producer('bench-source')), total)
  const arrivedAt = await reading
  const ms = Array.from({ length: records }, (_, i) => arrivedAt[warmUpRecords + i]! - dueAt[warmUpRecords + i]!)
  return { ms, ratePerSecond: ((records - 1) * 1000) / (dueAt[total - 1]! - dueAt[warmUpRecords]!) }
}

/** Sends on a fixed timetable: what is late in being sent counts from when it was due. */
async function send(sender: BidSender, total: number): Promise<Float64Array> {
  const dueAt = new Float64Array(total)
  const sends: Promise<void>[] = []
  const start = now()
  for (let i = 0; i < total; ) {
    for (; i < total && start + (i * 1000) / targetPerSecond <= now(); i++) {
      dueAt[i] = start + (i * 1000) / targetPerSecond
      sends.push(sender.send())
    }
    await sleep(1)
  }
  await Promise.all(sends)
  return dueAt
}

/** When each record of the output was there to be read. */
async function arrivals(log: Log, total: number): Promise<Float64Array> {
  const reader = log.reader(resultsTopic, 0, 0)
  const arrivedAt = new Float64Array(total)
  for (let arrived = 0; arrived < total; ) {
    const seen = log.changes()
    const chunk = await reader.read(1 << 20)
    if (chunk === null) {
      await log.changed(seen)
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
