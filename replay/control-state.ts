import type { EpochMs } from '../engine/model/record.ts'
import type { Starts, Times } from '../engine/runtime/steering.ts'
import type { PolicyPart } from './catch-up.ts'
import type { ControlEvent, CutOver, Place } from './control-event.ts'

/**
 *   candidate ──► active ◄──► standby ──► retired        any but the active one may be aborted or retired
 *       └──────────────────────► aborted
 */
export type Role = 'candidate' | 'active' | 'standby' | 'aborted' | 'retired'

const nextRoles: Readonly<Record<Role, readonly Role[]>> = {
  candidate: ['active', 'aborted', 'retired'],
  active: ['standby'],
  standby: ['active', 'aborted', 'retired'],
  aborted: [],
  retired: [],
}

/** A field of its own beside the role. `stopped`: it could not go on. */
export type Health = 'running' | 'paused' | 'stopped'

export interface VersionState {
  readonly version: number
  /** Of the bundle's text. */
  readonly sha256: string
  readonly parallelism: number
  readonly fingerprint: string
  readonly starts: Starts
  readonly registeredAt: EpochMs
  readonly by: string | undefined
  readonly message: string | undefined
  readonly role: Role
  readonly roleSince: EpochMs
  readonly health: Health
  readonly healthSince: EpochMs
  /** What is said of when it counts as caught up; for the rest the server's policy holds. */
  readonly policy: PolicyPart
  /** For the first time; undefined: not yet. */
  readonly caughtUpAt: EpochMs | undefined
  /** Why it is paused or stopped. */
  readonly reason: string | undefined
  /** Of the error, when it is stopped. */
  readonly code: string | undefined
  /** Where it stopped, if that is known. */
  readonly stoppedAt: Place | undefined
  /** It is paused because its rate was set to 0. */
  readonly pausedByRate: boolean
  /** Records it passes over. */
  readonly skips: readonly Place[]
  /** As a candidate it takes over by itself once it meets all conditions. */
  readonly automatic: boolean
  /** Records a second at most; null: no limit. */
  readonly recordsPerSecond: number | null
  /** Bytes a second at most; null: no limit. */
  readonly bytesPerSecond: number | null
}

/** Whether anything of it runs or is kept. */
export const alive = ({ role }: Pick<VersionState, 'role'>): boolean => role !== 'aborted' && role !== 'retired'

export interface Hold {
  readonly id: string
  readonly from: number
  readonly to: number
  readonly at: EpochMs
  /** Times that all tasks of the owner are to come to; undefined: they have come to the same anyway, as far as is known. */
  readonly level?: Times | undefined
}

/** What the tasks say that stand still for it. */
export const markOf = ({ id, level }: Hold): string => (level === undefined ? id : `${id}-level`)

export interface ControlState {
  /** All there ever were, by number. */
  readonly versions: ReadonlyMap<number, VersionState>
  /** The newest. */
  readonly registered: VersionState | undefined
  /** The version that publishes: the first one, until another takes over. */
  readonly owner: number | undefined
  /** What is asked for and not decided. */
  readonly hold: Hold | undefined
  /** By version: how it came to publish last, and the number of events up to and with that one. */
  readonly cutOvers: ReadonlyMap<number, CutOver & { readonly events: number }>
  /** All changes of the owner that took place, oldest first. */
  readonly switches: readonly CutOver[]
  /** Source topics of a job whose input was declared complete. */
  readonly sealed: readonly string[] | undefined
  /** Events so far. */
  readonly events: number
}

/** Of a version that runs. */
const noReason = { reason: undefined, code: undefined, stoppedAt: undefined, pausedByRate: false }

export const nothingDecided: ControlState = {
  versions: new Map(),
  registered: undefined,
  owner: undefined,
  hold: undefined,
  cutOvers: new Map(),
  switches: [],
  sealed: undefined,
  events: 0,
}

export function foldControl(events: readonly ControlEvent[]): ControlState {
  return events.reduce(applyEvent, nothingDecided)
}

/** Pure. An event that does not go with what was decided before is void: it only counts. */
export function applyEvent(before: ControlState, event: ControlEvent): ControlState {
  const state = { ...before, events: before.events + 1 }
  if (refusalOf(before, event) !== undefined) return state
  switch (event.type) {
    case 'registered':
      return withRegistered(state, event)
    case 'sealed':
      return { ...state, sealed: event.sources }
    case 'holdRequested':
      return { ...state, hold: event }
    case 'holdLevelled': {
      const level = { watermark: event.watermark ?? Number.NEGATIVE_INFINITY, processing: event.processing }
      return { ...state, hold: { ...state.hold!, level } }
    }
    case 'holdAborted':
      return { ...state, hold: undefined }
    case 'cutOver':
      return withCutOver(state, event)
    case 'policySet':
      return changed(state, event.version, { policy: event.policy })
    case 'caughtUp':
      return changed(state, event.version, { caughtUpAt: state.versions.get(event.version)!.caughtUpAt ?? event.at })
    case 'paused':
      return withHealth(state, event, { health: 'paused', reason: event.reason, pausedByRate: event.rate === 0 })
    case 'resumed':
      return withHealth(state, event, { health: 'running' })
    case 'stopped':
      return withHealth(state, event, { health: 'stopped', reason: event.reason, code: event.code, stoppedAt: event.record })
    case 'skipped': {
      const { version, topic, partition, offset } = event
      const { skips } = state.versions.get(version)!
      return changed(state, version, { skips: [...skips, { topic, partition, offset }] })
    }
    case 'rateSet':
      return changed(state, event.version, { recordsPerSecond: event.recordsPerSecond, bytesPerSecond: event.bytesPerSecond ?? null })
    case 'aborted':
      return moved(state, event.version, 'aborted', event.at)
    case 'retired':
      return moved(state, event.version, 'retired', event.at)
  }
}

function withRegistered(state: ControlState, event: Extract<ControlEvent, { type: 'registered' }>): ControlState {
  const { version, sha256, parallelism, fingerprint, promote, starts = {}, policy = {}, rate = {}, at, by, reason } = event
  const registered: VersionState = {
    version,
    sha256,
    parallelism,
    fingerprint,
    starts,
    registeredAt: at,
    by,
    message: reason,
    role: state.owner === undefined ? 'active' : 'candidate',
    roleSince: at,
    health: 'running',
    healthSince: at,
    policy,
    caughtUpAt: undefined,
    ...noReason,
    skips: [],
    automatic: promote === 'auto',
    recordsPerSecond: rate.recordsPerSecond ?? null,
    bytesPerSecond: rate.bytesPerSecond ?? null,
  }
  return { ...state, versions: new Map(state.versions).set(version, registered), registered, owner: state.owner ?? version }
}

type HealthChange = Pick<VersionState, 'health'> & Partial<Pick<VersionState, keyof typeof noReason>>

/** What is not said of the new one is not so any more. */
function withHealth(state: ControlState, { version, at }: { version: number; at: EpochMs }, change: HealthChange): ControlState {
  return changed(state, version, { ...noReason, healthSince: at, ...change })
}

function withCutOver(state: ControlState, event: CutOver): ControlState {
  const { from, to, at } = event
  const exchanged = moved(moved(state, from, 'standby', at), to, 'active', at)
  const cutOvers = new Map(state.cutOvers).set(to, { ...event, events: state.events })
  return { ...exchanged, hold: undefined, owner: to, cutOvers, switches: [...state.switches, event] }
}

/** Why an event does not go with what was decided before it; undefined: it does. Pure. */
export function refusalOf(state: ControlState, event: ControlEvent): string | undefined {
  switch (event.type) {
    case 'registered':
      return state.versions.has(event.version) ? `v${event.version} was registered before` : undefined
    case 'sealed':
      return undefined
    case 'holdRequested':
      return state.hold === undefined ? refusedSwitch(state, event) : `the hold ${state.hold.id} is open`
    case 'holdLevelled':
    case 'holdAborted':
      return refusedDecision(state, event.id)
    case 'cutOver':
      return refusedDecision(state, event.id) ?? refusedSwitch(state, event)
    case 'aborted':
    case 'retired':
      return refusedMove(state, event.version, event.type)
    default:
      return refusedChange(state, event.version)
  }
}

function refusedDecision({ hold }: ControlState, id: string): string | undefined {
  return hold?.id === id ? undefined : `the hold ${id} is not open`
}

function refusedSwitch(state: ControlState, { from, to }: Pick<Hold, 'from' | 'to'>): string | undefined {
  return refusedMove(state, from, 'standby') ?? refusedMove(state, to, 'active')
}

function refusedMove({ versions }: ControlState, version: number, role: Role): string | undefined {
  const from = versions.get(version)?.role
  if (from === undefined) return `v${version} was never registered`
  return nextRoles[from].includes(role) ? undefined : `v${version} can't become ${role}: it is ${from}`
}

/** Nothing is decided any more about a version that is gone. */
function refusedChange({ versions }: ControlState, version: number): string | undefined {
  const state = versions.get(version)
  if (state === undefined) return `v${version} was never registered`
  return alive(state) ? undefined : `v${version} is ${state.role}`
}

function moved(state: ControlState, version: number, role: Role, at: EpochMs): ControlState {
  return changed(state, version, { role, roleSince: at })
}

function changed(state: ControlState, version: number, changes: Partial<VersionState>): ControlState {
  const versions = new Map(state.versions).set(version, { ...state.versions.get(version)!, ...changes })
  return { ...state, versions, registered: versions.get(state.registered!.version) }
}
