import type { Command } from 'commander'
import type { CatchUpPolicy } from '../../replay/catch-up.ts'
import { durationOf } from './duration-flag.ts'
import { wholeNumber } from './flag-values.ts'

export interface PolicyFlags {
  readonly maxLagRecords?: string
  readonly maxLag?: string
  readonly hold?: string
  readonly deadline?: string
}

/** When a version counts as caught up. @param defaults by flag, for whoever has to have them. */
export function policyFlags(command: Command, defaults: PolicyFlags = {}): Command {
  return command
    .option('--max-lag-records <n>', 'caught up: at most so many records behind', defaults.maxLagRecords)
    .option('--max-lag <duration>', 'caught up: the oldest record that waits is at most so old', defaults.maxLag)
    .option('--hold <duration>', 'caught up: within both for so long without a break', defaults.hold)
    .option('--deadline <duration>', 'a candidate that has not caught up by then, since it was deployed or resumed, is stopped')
}

/** As far as flags were given. USAGE. */
export function policyOf({ maxLagRecords, maxLag, hold, deadline }: PolicyFlags): Partial<CatchUpPolicy> {
  return {
    ...(maxLagRecords === undefined ? {} : { maxLagRecords: wholeNumber('--max-lag-records', maxLagRecords, 0, Number.MAX_SAFE_INTEGER) }),
    ...(maxLag === undefined ? {} : { maxLagMs: durationOf('--max-lag', maxLag) }),
    ...(hold === undefined ? {} : { holdMs: durationOf('--hold', hold) }),
    ...(deadline === undefined ? {} : { deadlineMs: durationOf('--deadline', deadline) }),
  }
}

/** For requests that deploy; nothing where no flag was given. USAGE. */
export function policyBody(flags: PolicyFlags): object {
  const policy = policyOf(flags)
  return Object.keys(policy).length === 0 ? {} : { policy }
}
