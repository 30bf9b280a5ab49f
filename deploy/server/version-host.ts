import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { LogService } from '../../engine/log/embedded/log-service.ts'
import type { EpochMs } from '../../engine/model/record.ts'
import type { Log } from '../../engine/ports/log.ts'
import type { Clock, Logger, Metrics } from '../../engine/ports/world.ts'
import type { TaskFacts } from '../../engine/runtime/steering.ts'
import { applyBatch } from './batched-metrics.ts'
import type { MemoryWatch, WatchedThread } from './memory-watch.ts'
import { News } from './news.ts'
import { lineOf } from './thread-line.ts'
import type { FromVersion, ThreadFailure, ToVersion, VersionData } from './version-messages.ts'

export interface VersionLimits {
  /** Of the thread's heap. */
  readonly heapBytesMax: number
  /** Outside of the heap: buffers. */
  readonly externalBytesMax: number
  /** A thread that doesn't answer for so long is stopped: its code loops. */
  readonly watchdogMs: number
}

export interface VersionHostWorld {
  readonly log: Log
  readonly clock: Clock
  readonly logger: Logger
  readonly metrics: Metrics
  readonly limits: VersionLimits
  /** Of the threads of all jobs. */
  readonly memory: MemoryWatch
  onFacts(facts: TaskFacts): void
  /** All of its tasks have begun. Told once. */
  onBegun(): void
  /** It has ended: without a failure because it was told to. Told once. */
  onEnd(failure: ThreadFailure | undefined): void
}

const pingEveryMs = 250

/**
 * A third of it is what one collection may move to the old generation at once. Node lets a thread at its limit have 16 MiB more to end in:
 * if that is not enough, the process ends.
 */
const maxYoungGenerationSizeMb = 36

/**
 * One version of a job in a thread of its own, seen from the server's thread. Whatever job code does ends that thread at most.
 * Owns: the thread, and what writes to the log for it.
 */
export class VersionHost implements WatchedThread {
  readonly version: number
  heapBytes = 0
  readonly bytesMax: number
  /** When it last said that it goes on, by the wall clock. */
  answeredAt: EpochMs
  readonly ended: Promise<void>
  private readonly world: VersionHostWorld
  /** For its own lines; those of the thread say themselves whose they are. */
  private readonly own: Logger
  private readonly worker: Worker
  private readonly service: LogService
  private readonly over = new AbortController()
  /** The same by the clock that never goes back. */
  private heardAt: number
  /** How far other versions have come. */
  readonly news = new News((known) => this.send({ kind: 'facts', known }))
  private readonly tasksBegun = new Set<number>()
  /** All of its tasks have begun: each keeps what it needs of its input. */
  keepsInput = false
  private failure: ThreadFailure | undefined = undefined
  /** It was told to end, or has come to its end. */
  private expected = false

  constructor(data: VersionData, world: VersionHostWorld) {
    this.version = data.version
    this.world = world
    const { heapBytesMax, externalBytesMax } = world.limits
    this.bytesMax = heapBytesMax + externalBytesMax
    const heapMb = Math.ceil(heapBytesMax / 2 ** 20)
    this.worker = new Worker(entry, {
      workerData: data,
      resourceLimits: { maxOldGenerationSizeMb: heapMb, maxYoungGenerationSizeMb },
      env: { TZ: 'UTC' },
    })
    this.service = new LogService(world.log, lineOf(this.worker))
    this.answeredAt = world.clock.now()
    this.heardAt = world.clock.monotonic()
    this.worker.on('message', (message: FromVersion) => this.take(message))
    this.worker.on('error', (error: Error & { code?: string }) => this.failed(failureOf(error)))
    this.ended = new Promise((resolve) => {
      this.worker.once('exit', (code) => {
        this.end(code)
        resolve()
      })
    })
    world.memory.begun(this)
    this.own = world.logger.child({ job: data.job, version: `v${data.version}` })
    this.watch().catch((error: unknown) => this.own.error({ error }, 'a version is not watched'))
  }

  send(message: ToVersion): void {
    this.worker.postMessage(message)
  }

  /** Finishes the slice, commits, checkpoints; after `graceMs` the thread is ended as it is, which loses nothing. */
  async stop(graceMs: number): Promise<void> {
    this.expected = true
    this.send({ kind: 'stop' })
    const waited = new AbortController()
    await Promise.race([this.ended, this.world.clock.sleep(graceMs, waited.signal)])
    waited.abort()
    await this.kill(undefined)
  }

  /** Ends the thread at once. */
  async kill(failure: ThreadFailure | undefined): Promise<void> {
    if (failure !== undefined) this.failed(failure)
    await this.worker.terminate()
    await this.ended
  }

  private take(message: FromVersion): void {
    const { logger, metrics, limits, onFacts } = this.world
    switch (message.kind) {
      case 'facts':
        onFacts(message.facts)
        return this.hasBegun(message.facts)
      case 'learned':
        return this.news.taken()
      case 'metrics':
        return applyBatch(metrics, message.calls)
      case 'line':
        return logger[message.level](message.fields, message.message)
      case 'pong':
        this.answeredAt = this.world.clock.now()
        this.heardAt = this.world.clock.monotonic()
        this.heapBytes = message.heapBytes
        if (!this.over.signal.aborted) this.world.memory.heard(this, message.heapTakenBytes + message.externalBytes)
        if (message.externalBytes > limits.externalBytesMax) {
          const found = `${mib(message.externalBytes)} MiB outside of the heap, ${mib(limits.externalBytesMax)} are allowed`
          this.endAtOnce({ code: 'VERSION_OUT_OF_MEMORY', message: found })
        }
        return
      case 'failed':
        return this.failed(message.failure)
      case 'ended':
        this.expected = true
    }
  }

  private hasBegun({ task, tasks }: TaskFacts): void {
    if (this.keepsInput) return
    this.tasksBegun.add(task)
    this.keepsInput = this.tasksBegun.size === tasks
    if (this.keepsInput) this.world.onBegun()
  }

  private failed(failure: ThreadFailure): void {
    this.failure ??= failure
  }

  /** As `kill`, and nobody waits. */
  endAtOnce(failure: ThreadFailure): void {
    this.kill(failure).catch((error: unknown) => this.own.error({ error }, 'a thread could not be ended'))
  }

  private end(code: number): void {
    if (this.over.signal.aborted) return
    this.over.abort()
    this.world.memory.ended(this)
    if (!this.expected) this.failed({ code: 'VERSION_CRASHED', message: `its thread ended by itself, with code ${code}` })
    this.world.onEnd(this.failure)
    // Not before somebody else keeps its input.
    this.service.close()
  }

  private async watch(): Promise<void> {
    const { clock, limits } = this.world
    const { signal } = this.over
    while (!signal.aborted) {
      this.send({ kind: 'ping' })
      await clock.sleep(pingEveryMs, signal)
      const silentMs = clock.monotonic() - this.heardAt
      if (signal.aborted || silentMs <= limits.watchdogMs) continue
      const message = `its code did not come back for ${Math.round(silentMs / 1000)} s`
      return this.kill({ code: 'VERSION_UNRESPONSIVE', message })
    }
  }
}

function failureOf({ code, message }: Error & { code?: string }): ThreadFailure {
  return code === 'ERR_WORKER_OUT_OF_MEMORY' ? { code: 'VERSION_OUT_OF_MEMORY', message } : { code: 'VERSION_CRASHED', message }
}

/** Beside this file, with the ending it has too. */
const entry = new URL(`./version-thread${extname(fileURLToPath(import.meta.url))}`, import.meta.url)

const mib = (bytes: number): number => Math.round(bytes / 2 ** 20)
