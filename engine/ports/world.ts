import type { EpochMs } from '../model/record.ts'

/** Wall time and waiting. Job code never sees it. */
export interface Clock {
  now(): EpochMs
  /** Milliseconds from an arbitrary point, never going back. */
  monotonic(): number
  /** Resolves after `ms`, or at once when the signal aborts. Never rejects. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Lets other work of the process run. */
  yield(): Promise<void>
}

export interface Logger {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
  child(fields: object): Logger
}

export type Labels = Readonly<Record<string, string>>

/** Names as in deploy/observability; labels bounded (job, version, topic, partition, code; never a key). */
export interface Metrics {
  add(name: string, labels: Labels, by: number): void
  set(name: string, labels: Labels, value: number): void
  observe(name: string, labels: Labels, value: number): void
}

/**
 * Named points of commit, checkpoint and recovery at which a test may stop the process. In production a no-op.
 * Simulation and the kill matrix list every name.
 */
export interface Probe {
  at(point: string): void
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {}, child: () => silentLogger }
export const noMetrics: Metrics = { add() {}, set() {}, observe() {} }
export const noProbe: Probe = { at() {} }
