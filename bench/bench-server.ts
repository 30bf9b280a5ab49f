import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openJobFile } from '../deploy/load-job-file.ts'
import { inspectBundle } from '../deploy/server/inspect-bundle.ts'
import type { JobController } from '../deploy/server/job-controller.ts'
import { RepriseServer } from '../deploy/server/server.ts'
import { parseSettings } from '../deploy/settings.ts'
import type { Log } from '../engine/ports/log.ts'
import { silentLogger } from '../engine/ports/world.ts'
import type { JobBundle } from '../engine/runtime/load-job.ts'
import { BidSender } from './bids-topic.ts'
import { now } from './gc-pauses.ts'

/** A server as `reprise server` starts it, on any free port. @param maxLagRecords a version so close behind has caught up. */
export function startServer(directory: string, maxLagRecords: number): Promise<RepriseServer> {
  return RepriseServer.start({
    directory,
    host: '127.0.0.1',
    port: 0,
    requireTokens: false,
    logger: silentLogger,
    settings: parseSettings([]),
    memoryBytesMax: 256 << 20,
    limits: { heapBytesMax: 1 << 30, externalBytesMax: 1 << 30, watchdogMs: 30_000 },
    diskBytesMax: Number.POSITIVE_INFINITY,
    policy: { maxLagRecords, maxLagMs: 5000, holdMs: 0 },
    bakeMs: 3_600_000,
    holdMs: 2000,
    failAt: undefined,
  })
}

/** The bundle of a query of examples/nexmark. */
export async function bundleOf(query: string): Promise<JobBundle> {
  const file = fileURLToPath(new URL(`../../examples/nexmark/${query}.ts`, import.meta.url))
  return (await openJobFile(file, silentLogger)).bundle
}

/** The same job to its readers, another one to the server. */
export function withOtherText(bundle: JobBundle): JobBundle {
  const text = `${bundle.text}\n;`
  return { ...bundle, text, sha256: createHash('sha256').update(text).digest('hex') }
}

export async function deploy(server: RepriseServer, bundle: JobBundle): Promise<JobController> {
  const inspected = await inspectBundle(bundle)
  await server.bundles.put(bundle, Date.now())
  const controller = await server.controller(inspected.job)
  await controller.verbs.register(inspected, bundle.sha256, 1, { asked: {}, promote: 'manual' })
  return controller
}

export async function caughtUp(controller: JobController, version: number): Promise<void> {
  while (!controller.readiness.caughtUp(version)) await sleep(20)
}

/**
 * Sends bids on a fixed timetable until it is told to stop, each in a commit of its own.
 * @param dueAt told when each was due, as it is sent: what is late in being sent counts from when it was due.
 */
export async function sendBids(log: Log, perSecond: number, stop: AbortSignal, dueAt: number[] = []): Promise<void> {
  const sender = new BidSender(await log.producer('bench-source'))
  const sends: Promise<void>[] = []
  const start = now()
  for (let sent = 0; !stop.aborted; await sleep(1)) {
    for (let due = start + (sent * 1000) / perSecond; due <= now(); due = start + (++sent * 1000) / perSecond) {
      dueAt.push(due)
      sends.push(sender.send())
    }
  }
  await Promise.all(sends)
}
