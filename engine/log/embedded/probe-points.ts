import type { Probe } from '../../ports/world.ts'

/** Every point at which a test may stop the process, in the order of the work they belong to. */
export const logProbePoints = [
  'log.recover.before-create',
  'log.recover.after-head',
  'log.recover.after-directory',
  'log.recover.after-quiet',
  'log.recover.after-sweep',
  'log.commit.before-write',
  'log.commit.after-write',
  'log.commit.after-sync',
  'log.commit.after-publish',
  'log.full.before-truncate',
  'log.full.after-truncate',
  'log.rotate.before-create',
  'log.rotate.after-head',
  'log.rotate.after-directory',
  'log.rotate.after-switch',
  'log.rewrite.before-create',
  'log.rewrite.after-index',
  'log.rewrite.after-write',
  'log.rewrite.after-sync',
  'log.rewrite.after-directory',
  'log.rewrite.after-edit',
  'log.rewrite.after-remove',
  'log.close.after-quiet',
] as const

export type LogProbePoint = (typeof logProbePoints)[number]

/** A Probe that only takes the points of this log. */
export interface LogProbe extends Probe {
  at(point: LogProbePoint): void
}
