import { type ErrorDetails, StreamError } from '../../engine/errors.ts'
import type { VersionState } from '../../replay/control-state.ts'

/** VERSION_STATE: what was asked for can't be done with a version in this role. */
export function wrongState(
  job: string,
  { version, role }: Pick<VersionState, 'version' | 'role'>,
  reason: string,
  fix: string,
  more: ErrorDetails = {},
): StreamError {
  return new StreamError('VERSION_STATE', { job, version, role, reason, ...more }, { fix })
}
