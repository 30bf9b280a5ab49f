import { differentStarts } from '../../engine/runtime/steering.ts'
import { alive, type ControlState, type VersionState } from '../../replay/control-state.ts'
import { wrongState } from './wrong-state.ts'

/** What makes a version the one it is. */
export type Identity = Pick<VersionState, 'sha256' | 'parallelism' | 'starts'>

/** The version that is alive of this code, with this parallelism and beginning. Pure. */
export function sameVersion({ versions }: ControlState, { sha256, parallelism, starts }: Identity): VersionState | undefined {
  return [...versions.values()].find(
    (state) =>
      alive(state) && state.sha256 === sha256 && state.parallelism === parallelism && differentStarts(state.starts, starts).length === 0,
  )
}

/**
 * Refuses what a version that is there can't be made by deploying it again: who promotes it was said for good, and what publishes is not to be slowed
 * down by the way. VERSION_STATE. Pure.
 */
export function checkSame(
  job: string,
  state: VersionState,
  asked: { readonly promote: 'manual' | 'auto'; readonly limited: boolean },
): void {
  const { version, role, automatic } = state
  const is = `v${version} is this code already`
  if (asked.promote === 'auto' && (role === 'standby' || (role === 'candidate' && !automatic))) {
    const fix = `reprise wait ${job} v${version} && reprise promote ${job} v${version}`
    throw wrongState(job, state, `${is}, and does not take over by itself`, fix)
  }
  if (asked.limited && role === 'active')
    throw wrongState(job, state, `${is}, and publishes`, `without --rate; or limit it: reprise rate ${job} <rate> v${version}`)
}
