import type { EpochMs } from '../engine/model/record.ts'
import type { VersionState } from './control-state.ts'

/** When a version counts as caught up: close behind the end of its input, for a while without a break. */
export interface CatchUpPolicy {
  readonly maxLagRecords: number
  readonly maxLagMs: number
  readonly holdMs: number
  /** How long it may take for the first time, since it was deployed or resumed; absent: for ever. */
  readonly deadlineMs?: number
}

/** What is said of it for one version. */
export type PolicyPart = { readonly [Name in keyof CatchUpPolicy]?: CatchUpPolicy[Name] | undefined }

/** Pure. */
export function policyWith(policy: CatchUpPolicy, said: PolicyPart): CatchUpPolicy {
  const deadlineMs = said.deadlineMs ?? policy.deadlineMs
  return {
    maxLagRecords: said.maxLagRecords ?? policy.maxLagRecords,
    maxLagMs: said.maxLagMs ?? policy.maxLagMs,
    holdMs: said.holdMs ?? policy.holdMs,
    ...(deadlineMs === undefined ? {} : { deadlineMs }),
  }
}

/** The largest over the source partitions, with the partition that has it; 0 where nothing waits. */
export interface Lag {
  readonly records: number
  readonly ms: number
  readonly partition: string | undefined
}

/** Since when one version has been within its policy without a break; undefined: it is not. */
export interface CatchUp {
  readonly withinSince: EpochMs | undefined
  /** Since when what it says has been so. */
  readonly since: EpochMs
}

/** One condition of a promotion, as the last look found it. */
export interface Gate {
  readonly name: 'running' | 'max lag' | 'held'
  readonly pass: boolean
  /** What was found and what is asked for, as a person reads it. */
  readonly found: string
  readonly limit: string
  readonly since: EpochMs
}

/** Takes in one look. It is lost again as soon as one look is outside. Pure. */
export function lookAt(before: CatchUp | undefined, lag: Lag, policy: CatchUpPolicy, now: EpochMs): CatchUp {
  const within = isWithin(lag, policy)
  if (before !== undefined && within === (before.withinSince !== undefined)) return before
  return { withinSince: within ? now : undefined, since: now }
}

function isWithin(lag: Lag, policy: CatchUpPolicy): boolean {
  return lag.records <= policy.maxLagRecords && lag.ms <= policy.maxLagMs
}

/** Caught up: within the policy for as long as it asks. */
export function caughtUp({ withinSince }: CatchUp, { holdMs }: CatchUpPolicy, now: EpochMs): boolean {
  return withinSince !== undefined && now - withinSince >= holdMs
}

/** A candidate that runs, has never caught up, and had as long as it may take. Pure. */
export function overdue(
  { role, health, healthSince, caughtUpAt }: Pick<VersionState, 'role' | 'health' | 'healthSince' | 'caughtUpAt'>,
  { deadlineMs = Number.POSITIVE_INFINITY }: CatchUpPolicy,
  now: EpochMs,
): boolean {
  return role === 'candidate' && health === 'running' && caughtUpAt === undefined && now - healthSince >= deadlineMs
}

/** The conditions one by one, in the order they come true. */
export function gatesOf(
  version: { readonly health: string; readonly healthSince: EpochMs },
  catchUp: CatchUp | undefined,
  lag: Lag | undefined,
  policy: CatchUpPolicy,
  now: EpochMs,
): Gate[] {
  const { withinSince } = catchUp ?? {}
  const held = withinSince === undefined ? 0 : now - withinSince
  const at = lag?.partition === undefined ? '' : ` (${lag.partition})`
  return [
    { name: 'running', pass: version.health === 'running', found: version.health, limit: 'running', since: version.healthSince },
    {
      name: 'max lag',
      // By what is said beside it: one that does not run is not judged, but seen.
      pass: lag !== undefined && isWithin(lag, policy),
      found: lag === undefined ? 'not known yet' : `${lag.records} records, ${seconds(lag.ms)}${at}`,
      limit: `${policy.maxLagRecords} records, ${seconds(policy.maxLagMs)}`,
      since: catchUp?.since ?? now,
    },
    {
      name: 'held',
      pass: withinSince !== undefined && held >= policy.holdMs,
      found: seconds(held),
      limit: seconds(policy.holdMs),
      since: catchUp?.since ?? now,
    },
  ]
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)}s`
