import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openJobFile } from '../../deploy/load-job-file.ts'
import { inspectBundle } from '../../deploy/server/inspect-bundle.ts'
import type { JobController } from '../../deploy/server/job-controller.ts'
import { RepriseServer } from '../../deploy/server/server.ts'
import { parseSettings } from '../../deploy/settings.ts'
import { silentLogger } from '../../engine/ports/world.ts'
import type { JobBundle } from '../../engine/runtime/load-job.ts'
import { BidSender, bidsTopic } from '../bids-topic.ts'
import { now } from '../gc-pauses.ts'
import type { Row, RowContext, RowResult } from '../row.ts'
import { quantile } from '../statistics.ts'

const perSecond = 2000
const cutOvers = 100
const limits = { gapP50Ms: 100, gapP99Ms: 500, switchP99Ms: 1000 }

/**
 * Two versions of q12 take turns while bids come in: how long the public output stands still at most (from asking for the hold until the decision is
 * durable), and how long a promotion or roll-back takes in all. Server, both versions' threads and the sender share the row's core.
 */
export const cutOver: Row = {
  name: 'cut-over',
  about: `${cutOvers} switches between two versions at ${perSecond} records/s`,
  records: cutOvers,
  input: { kind: 'none' },
  run: measure,
}

async function measure({ workDir }: RowContext): Promise<RowResult> {
  const server = await RepriseServer.start({
    directory: join(workDir, 'cut-over'),
    host: '127.0.0.1',
    port: 0,
    requireTokens: false,
    logger: silentLogger,
    settings: parseSettings([]),
    memoryBytesMax: 256 << 20,
    limits: { heapBytesMax: 1 << 30, externalBytesMax: 1 << 30, watchdogMs: 30_000 },
    policy: { maxLagRecords: perSecond, maxLagMs: 5000, holdMs: 0 },
    bakeMs: 3_600_000,
    holdMs: 2000,
    failAt: undefined,
  })
  const stop = new AbortController()
  await server.log.createTopic({ name: bidsTopic, partitions: 1, kind: 'stream' })
  const sending = send(server, stop.signal)
  const first = (await openJobFile(fileURLToPath(new URL('../../../examples/nexmark/q12-event-time.ts', import.meta.url)), silentLogger))
    .bundle
  const controller = await deploy(server, first)
  await deploy(server, withOtherText(first))
  await caughtUp(controller)
  const gapMs: number[] = []
  const switchMs: number[] = []
  for (let i = 0; i < cutOvers; i++) {
    await sleep(50)
    const from = now()
    const { heldMs } = await controller.promote({ version: i % 2 === 0 ? 2 : 1, force: true, asked: {} })
    switchMs.push(now() - from)
    gapMs.push(heldMs!)
  }
  stop.abort()
  await sending
  await server.close()
  const values = {
    gapP50Ms: quantile(gapMs, 0.5),
    gapP99Ms: quantile(gapMs, 0.99),
    switchP50Ms: quantile(switchMs, 0.5),
    switchP99Ms: quantile(switchMs, 0.99),
  }
  const missed = (Object.keys(limits) as (keyof typeof limits)[]).filter((name) => !(values[name] <= limits[name]))
  return { values, missed: missed.map((name) => `${name} ${values[name].toFixed(1)} > ${limits[name]}`) }
}

async function deploy(server: RepriseServer, bundle: JobBundle): Promise<JobController> {
  const inspected = await inspectBundle(bundle)
  await server.bundles.put(bundle, Date.now())
  const controller = await server.controller(inspected.job)
  await controller.register(inspected, bundle.sha256, 1, { asked: {}, promote: 'manual' })
  return controller
}

/** The same job to its readers, another one to the server. */
function withOtherText(bundle: JobBundle): JobBundle {
  const text = `${bundle.text}\n;`
  return { ...bundle, text, sha256: createHash('sha256').update(text).digest('hex') }
}

async function caughtUp(controller: JobController): Promise<void> {
  while (!controller.caughtUp(2)) await sleep(20)
}

async function send({ log }: RepriseServer, stop: AbortSignal): Promise<void> {
  const sender = new BidSender(await log.producer('bench-source'))
  const sends: Promise<void>[] = []
  const start = now()
  for (let sent = 0; !stop.aborted; await sleep(1)) for (; start + (sent * 1000) / perSecond <= now(); sent++) sends.push(sender.send())
  await Promise.all(sends)
}
