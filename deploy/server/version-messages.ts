import type { ReaderHandle } from '../../engine/log/embedded/reader-host.ts'
import type { JobBundle } from '../../engine/runtime/load-job.ts'
import type { RuntimeSettings } from '../../engine/runtime/settings.ts'
import type { Starts, TaskFacts } from '../../engine/runtime/steering.ts'
import type { Place } from '../../replay/control-event.ts'
import type { ControlState } from '../../replay/control-state.ts'
import type { MetricCall } from './batched-metrics.ts'
import type { Known } from './news.ts'

/** What a version's thread is started with. */
export interface VersionData {
  readonly handle: ReaderHandle
  /** The data directory. */
  readonly directory: string
  readonly job: string
  readonly bundle: JobBundle
  readonly version: number
  readonly parallelism: number
  readonly starts: Starts
  readonly settings: RuntimeSettings
  readonly state: { readonly mergeBytesMin: number }
  readonly memoryBytesMax: number
  /** As of now; at least as far as any hold that was asked for. */
  readonly control: ControlState
  readonly facts: readonly Known[]
  readonly failAt: string | undefined
}

/** To a version's thread. */
export type ToVersion =
  | { readonly kind: 'control'; readonly control: ControlState }
  /** Of other versions of the job. Answered by `learned`. */
  | { readonly kind: 'facts'; readonly known: readonly Known[] }
  /** Records a second it may take, so that the version that publishes is not held up; null: as many as it can. */
  | { readonly kind: 'govern'; readonly recordsPerSecond: number | null }
  | { readonly kind: 'stop' }
  | { readonly kind: 'ping' }

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface ThreadFailure {
  readonly code: string
  readonly message: string
  /** The one it could not process. */
  readonly record?: Place | undefined
}

/** From a version's thread. */
export type FromVersion =
  | { readonly kind: 'facts'; readonly facts: TaskFacts }
  | { readonly kind: 'learned' }
  | { readonly kind: 'metrics'; readonly calls: readonly MetricCall[] }
  | { readonly kind: 'line'; readonly level: LogLevel; readonly fields: object; readonly message: string }
  /** `heapBytes` in use of those the heap has taken; beside them bytes outside of it, which no limit of the engine's covers. */
  | { readonly kind: 'pong'; readonly heapBytes: number; readonly heapTakenBytes: number; readonly externalBytes: number }
  | { readonly kind: 'ended' }
  | { readonly kind: 'failed'; readonly failure: ThreadFailure }
