import { Command } from 'commander'
import { logTailVerb } from './log-tail.ts'
import { logVerifyVerb } from './log-verify.ts'
import type { Terminal } from './terminal.ts'

/** `reprise log tail` and `reprise log verify`. */
export function logVerb(terminal: Terminal): Command {
  return new Command('log')
    .description('Look into the log of a data directory')
    .addCommand(logTailVerb(terminal))
    .addCommand(logVerifyVerb(terminal))
}
