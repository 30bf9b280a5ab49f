import { z } from 'zod'
import type { CatchUpPolicy } from '../../replay/catch-up.ts'
import { alive } from '../../replay/control-state.ts'
import type { Progress } from '../../replay/progress.ts'
import type { JobController } from './job-controller.ts'
import { partitionOrder } from './partition-order.ts'
import { endsCutOver, type Switching } from './switching.ts'
import type { PartitionLag } from './version-observer.ts'

const time = z.string().describe('RFC 3339, UTC')
const offset = z.string().describe('An offset; as text, since it has 64 bits')

export const gateView = z.object({
  name: z.string(),
  pass: z.boolean(),
  found: z.string(),
  limit: z.string(),
  since: time,
})

export const partitionView = z.object({
  topic: z.string(),
  partition: z.number(),
  current: offset,
  end: offset,
  lag: offset,
  lagSeconds: z.number(),
})

export const progressView = z.object({
  ratio: z.number(),
  done: offset,
  target: offset,
  targetMoves: z.literal(true),
  recordsPerSecond: z.number().nullable(),
  headPerSecond: z.number().nullable(),
  netPerSecond: z.number().nullable(),
  eta: z.object({
    state: z.enum(['computing', 'estimated', 'never', 'paused', 'done']),
    seconds: z.number().optional(),
    low: z.number().optional(),
    high: z.number().optional(),
    reason: z.string().optional(),
  }),
})

export const versionView = z.object({
  job: z.string(),
  version: z.number(),
  role: z.enum(['candidate', 'active', 'standby', 'aborted', 'retired']),
  roleSince: time,
  phase: z.enum(['replaying', 'caught-up']).nullable().describe('Of a version that trails; null: it publishes, or is no more'),
  health: z.enum(['running', 'paused', 'stopped']),
  reason: z.string().nullable(),
  code: z.string().nullable(),
  record: z.object({ topic: z.string(), partition: z.number(), offset }).nullable().describe('Where it stopped, if that is known'),
  promote: z.enum(['manual', 'auto']).describe('auto: as a candidate it takes over by itself'),
  sha256: z.string(),
  parallelism: z.number(),
  startsAt: z.record(z.string(), offset).describe('By source partition, where it does not begin with offset 0'),
  recordsPerSecondMax: z.number().nullable(),
  bytesPerSecondMax: z.number().nullable(),
  governedTo: z
    .number()
    .nullable()
    .describe('Records a second it may take, so that the version that publishes is not held up; null: it is not held back'),
  deployedAt: time,
  by: z.string().nullable(),
  message: z.string().nullable(),
  policy: z
    .object({ maxLagRecords: z.number(), maxLagSeconds: z.number(), holdSeconds: z.number(), deadlineSeconds: z.number().nullable() })
    .describe('When it counts as caught up'),
  progress: progressView.nullable(),
  lag: z
    .object({ records: offset, seconds: z.number(), partition: z.string().nullable() })
    .nullable()
    .describe('Also of a version that stopped; null: not known yet, or it is no more'),
  watermark: time.nullable(),
  gates: z.array(gateView),
  seam: z
    .array(z.string())
    .describe(
      'Of a version that trails: in which words it differs from the one that publishes in how it cuts time, so that no switch to it is exact',
    ),
  partitions: z.array(partitionView),
})
export type VersionView = z.infer<typeof versionView>

export const cutOverView = z.object({
  from: z.number(),
  to: z.number(),
  operation: z.string().nullable().describe('Of the call that asked for it; null: the version takes over by itself'),
  since: time,
  attempt: z.number().describe('From 1'),
  waitsFor: z
    .enum(['common-end', 'turn', 'hold', 'next-attempt'])
    .describe(
      'common-end: a time at which changed windows end together; turn: another decision is being made; hold: both versions are to stand still at one record; next-attempt: the last one failed, and it is tried again',
    ),
  waitsSince: time,
  waitsUntil: time.nullable().describe('When this wait ends at the latest; null: with what it waits for'),
  changedWindows: z
    .array(z.object({ what: z.string(), now: z.boolean(), next: time.nullable() }))
    .describe('A switch is exact at a common end of these: whether it is one now, and when the next is, in the time of the windows'),
  endedBy: z.string().describe('The command that ends it before it is decided; no version loses anything'),
})
export type CutOverView = z.infer<typeof cutOverView>

export const jobView = z.object({
  job: z.string(),
  active: z.number().nullable(),
  candidates: z.array(z.number()),
  standby: z.number().nullable(),
  hold: z.string().nullable().describe('The hold of the cut-over under way'),
  cutOver: cutOverView.nullable().describe('A version is to take over, and that is not decided'),
  versions: z.array(versionView),
  outputs: z.array(z.string()),
})
export type JobView = z.infer<typeof jobView>

export function viewOfJob(controller: JobController): JobView {
  const { control, job, wayBack, outputs } = controller
  const versions = [...control.versions.keys()].sort((a, b) => b - a)
  return {
    job,
    active: control.owner ?? null,
    candidates: versions.filter((version) => control.versions.get(version)!.role === 'candidate'),
    standby: wayBack?.version ?? null,
    hold: control.hold?.id ?? null,
    cutOver: viewOfCutOver(controller),
    versions: versions.map((version) => viewOfVersion(controller, version)),
    outputs,
  }
}

function viewOfCutOver({ job, control, switching }: JobController): CutOverView | null {
  const { current } = switching
  if (current === undefined || control.owner === current.to) return null
  const { to, operation, since, attempt, waits } = current
  return {
    from: control.owner!,
    to,
    operation: operation ?? null,
    since: iso(since),
    attempt,
    waitsFor: waits.for,
    waitsSince: iso(waits.since),
    waitsUntil: waits.until === undefined ? null : iso(waits.until),
    changedWindows: viewOfCommonEnds(switching, to),
    endedBy: endsCutOver(job, control.versions.get(to)!),
  }
}

export function viewOfCommonEnds(switching: Switching, to: number): CutOverView['changedWindows'] {
  return switching.commonEnds(to).map(({ what, now, next }) => ({ what, now, next: next === undefined ? null : iso(next) }))
}

export function viewOfVersion(controller: JobController, version: number): VersionView {
  const state = controller.version(version)
  const { role, health } = state
  // What is no more has nothing that waits for it.
  const observer = alive(state) ? controller.readiness.observer(version) : undefined
  const trails = role === 'candidate' || role === 'standby'
  const progress = observer?.progress(state)
  const lag = observer?.lag
  const watermark = controller.facts(version)?.watermark
  return {
    job: controller.job,
    version,
    role,
    roleSince: iso(state.roleSince),
    phase: trails ? (controller.readiness.caughtUp(version) ? 'caught-up' : 'replaying') : null,
    health,
    reason: state.reason ?? null,
    code: state.code ?? null,
    record: state.stoppedAt === undefined ? null : { ...state.stoppedAt, offset: String(state.stoppedAt.offset) },
    promote: state.automatic ? 'auto' : 'manual',
    sha256: state.sha256,
    parallelism: state.parallelism,
    startsAt: viewOfPositions(Object.entries(state.starts)),
    recordsPerSecondMax: state.recordsPerSecond,
    bytesPerSecondMax: state.bytesPerSecond,
    governedTo: controller.heldBackTo(version),
    deployedAt: iso(state.registeredAt),
    by: state.by ?? null,
    message: state.message ?? null,
    policy: viewOfPolicy(controller.readiness.policy(version)),
    progress: progress === undefined ? null : viewOfProgress(progress),
    lag: lag === undefined ? null : { records: String(lag.records), seconds: lag.ms / 1000, partition: lag.partition ?? null },
    watermark: watermark === undefined || !Number.isFinite(watermark) ? null : iso(watermark),
    gates: trails ? controller.readiness.gates(version).map((gate) => ({ ...gate, since: iso(gate.since) })) : [],
    seam: trails ? [...controller.switching.seam(version).differs] : [],
    partitions: (observer?.partitions ?? []).map(viewOfPartition),
  }
}

function viewOfPolicy({ maxLagRecords, maxLagMs, holdMs, deadlineMs }: CatchUpPolicy): VersionView['policy'] {
  return {
    maxLagRecords,
    maxLagSeconds: maxLagMs / 1000,
    holdSeconds: holdMs / 1000,
    deadlineSeconds: deadlineMs === undefined ? null : deadlineMs / 1000,
  }
}

function viewOfPartition({ topic, partition, current, end, lag, lagMs }: PartitionLag): z.infer<typeof partitionView> {
  return { topic, partition, current: String(current), end: String(end), lag: String(lag), lagSeconds: lagMs / 1000 }
}

function viewOfProgress({
  ratio,
  done,
  target,
  recordsPerSecond,
  headPerSecond,
  netPerSecond,
  eta,
}: Progress): z.infer<typeof progressView> {
  return {
    ratio,
    done: String(done),
    target: String(target),
    targetMoves: true,
    recordsPerSecond: recordsPerSecond ?? null,
    headPerSecond: headPerSecond ?? null,
    netPerSecond: netPerSecond ?? null,
    eta,
  }
}

export const iso = (at: number): string => new Date(at).toISOString()

export function viewOfPositions(positions: Iterable<readonly [name: string, at: number]>): Record<string, string> {
  return Object.fromEntries([...positions].sort(([one], [other]) => partitionOrder(one, other)).map(([name, at]) => [name, String(at)]))
}
