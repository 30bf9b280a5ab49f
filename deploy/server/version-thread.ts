import path from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../../engine/assert.ts'
import { NodeFileSystem } from '../../engine/log/embedded/node-file-system.ts'
import { ThreadLog } from '../../engine/log/embedded/thread-log.ts'
import type { Logger } from '../../engine/ports/world.ts'
import { runJob } from '../../engine/runtime/job-run.ts'
import { Pace } from '../../replay/pace.ts'
import { VersionBoard } from '../../replay/version-board.ts'
import { failAt } from '../fail-at.ts'
import { jobOfBundle } from '../load-job-file.ts'
import { errorFields } from '../observability/error-fields.ts'
import { openStateIn } from '../open-state.ts'
import { realClock } from '../real-clock.ts'
import { BatchedMetrics } from './batched-metrics.ts'
import { failureOf } from './thread-failure.ts'
import { lineOf } from './thread-line.ts'
import { ThreadPriority } from './thread-priority.ts'
import type { FromVersion, LogLevel, ToVersion, VersionData } from './version-messages.ts'

// The thread of one version of a job: started by VersionHost, which sends it what is decided and is told how far it came.

const metricsEveryMs = 250

assert(parentPort !== null, 'this file runs in a thread of its own')
const port = parentPort
const data = workerData as VersionData
const tell = (message: FromVersion): void => port.postMessage(message)

function threadLogger(bound: object): Logger {
  const at = (level: LogLevel) => (fields: object, message: string) =>
    tell({ kind: 'line', level, fields: sendable({ ...bound, ...fields }), message })
  return {
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
    child: (fields) => threadLogger({ ...bound, ...fields }),
  }
}

/** Errors lose their code on the way; what job code logs may be anything. */
function sendable(fields: object): object {
  return JSON.parse(JSON.stringify(fields, (_, value: unknown) => errorFields(value))) as object
}

async function run(): Promise<void> {
  const { handle, directory, bundle, version, parallelism, starts, settings, state, memoryBytesMax, control, facts } = data
  const logger = threadLogger({ job: data.job, version: `v${version}` })
  const metrics = new BatchedMetrics()
  const flush = () => {
    const calls = metrics.take()
    if (calls.length > 0) tell({ kind: 'metrics', calls })
  }
  const timer = setInterval(flush, metricsEveryMs)
  const stop = new AbortController()
  const board = new VersionBoard()
  const pace = new Pace(realClock)
  const setPace = () => {
    const own = board.control.versions.get(version)
    const recordsPerSecond = own?.health === 'paused' ? 0 : (own?.recordsPerSecond ?? null)
    pace.limits = { recordsPerSecond, bytesPerSecond: own?.bytesPerSecond ?? null }
  }
  const priority = new ThreadPriority()
  const follow = (decided: typeof control) => {
    board.control = decided
    setPace()
    // What publishes, or is about to, is waited for.
    priority.setBehind(decided.owner !== version && decided.hold?.to !== version)
  }
  for (const [other, known] of facts) if (other !== version) board.learn(other, known)
  follow(control)
  port.on('message', (message: ToVersion) => {
    if (message.kind === 'control') follow(message.control)
    else if (message.kind === 'facts') {
      for (const [other, known] of message.known) board.learn(other, known)
      tell({ kind: 'learned' })
    } else if (message.kind === 'govern') pace.gentleTo = message.recordsPerSecond
    else if (message.kind === 'stop') stop.abort()
    else if (message.kind === 'ping') {
      const { heapUsed, heapTotal, external } = process.memoryUsage()
      tell({ kind: 'pong', heapBytes: heapUsed, heapTakenBytes: heapTotal, externalBytes: external })
    }
  })
  const log = await ThreadLog.attach(handle, { fs: new NodeFileSystem(path.join(directory, 'log')), line: lineOf(port) })
  const steering = board.steering(version)
  const probe = failAt(data.failAt)
  const job = await jobOfBundle(bundle, logger)
  try {
    await runJob({
      load: job.load,
      version,
      parallelism,
      starts,
      steering: {
        orders: (task, upstream) => {
          const takeMax = pace.allowance
          const orders = steering.orders(task, upstream)
          return takeMax === undefined ? orders : { ...orders, takeMax }
        },
        report: (task, own) => {
          steering.report?.(task, own)
          tell({ kind: 'facts', facts: own })
        },
        took: (_, records, bytes) => pace.took(records, bytes),
        onChange: (wake) => {
          const takeBack = [board.onChange(wake), pace.onRefilled(wake)]
          return () => {
            for (const each of takeBack) each()
          }
        },
      },
      log,
      openState: (plan, planned, present) =>
        openStateIn({ directory, logger, metrics, probe, memoryBytesMax, state }, plan, planned, present),
      clock: realClock,
      logger,
      metrics,
      probe,
      settings,
      until: 'stopped',
      stop: stop.signal,
    })
  } finally {
    clearInterval(timer)
    flush()
    await log.close()
  }
}

run().then(
  () => {
    tell({ kind: 'ended' })
    port.close()
  },
  (error: unknown) => {
    tell({ kind: 'failed', failure: failureOf(error) })
    port.close()
  },
)
