import type { EpochMs } from '../../engine/model/record.ts'
import type { Topology } from '../../engine/model/topology.ts'
import type { RuntimeSettings } from '../../engine/runtime/settings.ts'
import { invalid } from '../../operators/invalid.ts'

export interface TestKitOptions {
  /** Partitions of source topics, by name; 1 where not said. */
  readonly partitions?: Readonly<Record<string, number>>
  readonly parallelism?: number
  /** The time the kit's clock begins at. */
  readonly startAt?: EpochMs | string
  readonly settings?: Partial<RuntimeSettings>
  readonly memoryBytesMax?: number
}

/** A slip must not look like a job that does nothing. JOB_INVALID. */
export function checkOptions(topology: Topology, { partitions = {}, parallelism = 1, startAt = 0, settings = {} }: TestKitOptions): void {
  const sources = topology.nodes.flatMap((node) => (node.kind === 'source' ? [node.topic.name] : []))
  for (const [name, count] of Object.entries(partitions)) {
    checkOption(`partitions.${name}`, count, sources.includes(name), `of a topic the job reads: ${sources.join(', ')}`)
    checkOption(`partitions.${name}`, count, Number.isInteger(count) && count >= 1, 'a whole number from 1')
  }
  checkOption('parallelism', parallelism, Number.isInteger(parallelism) && parallelism >= 1, 'a whole number from 1')
  const startMs = typeof startAt === 'string' ? Date.parse(startAt) : startAt
  checkOption('startAt', startAt, Number.isFinite(startMs), "epoch milliseconds, or a time like '2026-01-01T00:00:00Z'")
  const { sliceRecordsMax = 1, outputsMax = 1, commitsInFlightMax = 1, readAheadBytesMax = 1, chunkBytes = 1 } = settings
  for (const [name, value] of Object.entries({ sliceRecordsMax, outputsMax, commitsInFlightMax, readAheadBytesMax, chunkBytes }))
    checkOption(`settings.${name}`, value, Number.isInteger(value) && value >= 1, 'a whole number from 1')
}

/** JOB_INVALID. @param allowed in words. */
export function checkOption(option: string, given: unknown, right: boolean, allowed: string): void {
  if (!right) throw invalid({ option, given: String(given) }, 'the test kit can do nothing with it', `${option} is ${allowed}`)
}
