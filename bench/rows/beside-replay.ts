import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { JobController } from '../../deploy/server/job-controller.ts'
import { BlockView } from '../../engine/block/block-view.ts'
import type { Log } from '../../engine/ports/log.ts'
import { bundleOf, caughtUp, deploy, sendBids, startServer, withOtherText } from '../bench-server.ts'
import { cloneData } from '../data-dir.ts'
import { now } from '../gc-pauses.ts'
import type { Row, RowContext, RowResult } from '../row.ts'
import { quantile } from '../statistics.ts'

const perSecond = 2000
const resultsTopic = 'nexmark-q0'
const aloneMs = 10_000
const limits = { besideP99Ms: 50, ratio: 1.25 }

/**
 * A version that publishes takes 2,000 bids a second; then another one replays the whole history beside it, as fast as it may. How long it
 * takes from the moment a bid was due to be sent until a reader of the public output has it, before and meanwhile, and how fast the replay is.
 * All cores: each version has a thread of its own, as in any server.
 */
export const besideReplay: Row = {
  name: 'beside-replay',
  about: `a record from sending to reading at ${perSecond} records/s, while another version replays beside`,
  records: 6_000_000,
  input: { kind: 'bids' },
  allCores: true,
  run: measure,
}

async function measure({ workDir, inputDir, records }: RowContext): Promise<RowResult> {
  const directory = join(workDir, 'beside-replay')
  cloneData(inputDir, directory)
  const server = await startServer(directory, perSecond)
  const { log } = server
  await log.createTopic({ name: resultsTopic, partitions: 1, kind: 'stream' })
  const first = await bundleOf('q0')
  const controller = await deploy(server, first)
  while (log.bounds(resultsTopic, 0).end < records) await sleep(20)
  const stop = new AbortController()
  const dueAt: number[] = []
  const arrivedAt: number[] = []
  const sending = sendBids(log, perSecond, stop.signal, dueAt)
  const arriving = watchArrivals(log, records, stop.signal, arrivedAt)
  await sleep(2000)
  const alone = await during(() => sleep(aloneMs), dueAt)
  let replaySeconds = 0
  const beside = await during(async () => {
    await deploy(server, withOtherText(first))
    while (taken(controller, 2) === 0) await sleep(5)
    const from = now()
    await caughtUp(controller, 2)
    replaySeconds = (now() - from) / 1000
  }, dueAt)
  await sleep(1000)
  stop.abort()
  await sending
  await arriving
  await server.close()
  const latencies = ({ from, to }: Stretch) => dueAt.slice(from, to).map((due, i) => arrivedAt[from + i]! - due)
  const [before, meanwhile] = [latencies(alone), latencies(beside)]
  const [aloneP99Ms, besideP99Ms] = [quantile(before, 0.99), quantile(meanwhile, 0.99)]
  const values = {
    aloneP50Ms: quantile(before, 0.5),
    aloneP99Ms,
    besideP50Ms: quantile(meanwhile, 0.5),
    besideP99Ms,
    p99Ratio: besideP99Ms / aloneP99Ms,
    replaySeconds,
  }
  const missed = [
    ...(besideP99Ms <= limits.besideP99Ms ? [] : [`besideP99Ms ${besideP99Ms.toFixed(1)} > ${limits.besideP99Ms}`]),
    ...(values.p99Ratio <= limits.ratio ? [] : [`p99Ratio ${values.p99Ratio.toFixed(2)} > ${limits.ratio}`]),
  ]
  return { recordsPerSecond: records / replaySeconds, values, missed }
}

/** Bids by their numbers: those that were due while something went on. */
interface Stretch {
  readonly from: number
  readonly to: number
}

async function during(work: () => Promise<unknown>, dueAt: readonly number[]): Promise<Stretch> {
  const from = dueAt.length
  await work()
  return { from, to: dueAt.length }
}

function taken(controller: JobController, version: number): number {
  let sum = 0
  for (const at of controller.facts(version)?.positions.values() ?? []) sum += at
  return sum
}

/** When each record from `from` on was there to be read. */
async function watchArrivals(log: Log, from: number, stop: AbortSignal, arrivedAt: number[]): Promise<void> {
  const reader = log.reader(resultsTopic, 0, from)
  while (!stop.aborted) {
    const seen = log.changes()
    const chunk = await reader.read(1 << 20)
    if (chunk === null) {
      await log.changed(seen, stop)
      continue
    }
    const { endOffset } = new BlockView(chunk, chunk.blocks.at(-1)!)
    const at = now()
    while (from + arrivedAt.length < endOffset) arrivedAt.push(at)
    chunk.release()
  }
  await reader.close()
}
