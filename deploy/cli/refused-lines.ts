import type { StreamError } from '../../engine/errors.ts'
import type { ReadOptions } from '../ingest/input-record.ts'
import { onOneLine } from './record-fields.ts'
import type { Terminal } from './terminal.ts'
import { type CommonFlags, say } from './verb.ts'

export const onBadPolicies = ['fail', 'skip'] as const
export type OnBad = (typeof onBadPolicies)[number]

/** What becomes of lines of input files that are no records; with `skip` each is printed with its place, and counted. */
export class RefusedLines {
  count = 0
  readonly onBad: ReadOptions['onBad']

  constructor(policy: OnBad, terminal: Terminal, flags: CommonFlags) {
    this.onBad = policy === 'fail' ? 'fail' : (error) => this.refuse(error, terminal, flags)
  }

  private refuse({ code, details }: StreamError, terminal: Terminal, flags: CommonFlags): void {
    this.count++
    const { file, line, ...more } = details
    if (flags.json) return say(terminal, flags, JSON.stringify({ refused: { file, line, code, ...more } }))
    const why = Object.entries(more).map(
      ([name, value]) => `${name}: ${typeof value === 'string' ? onOneLine(value) : (JSON.stringify(value) ?? 'none')}`,
    )
    say(terminal, flags, `refused ${String(file)}:${String(line)}  ${code}  ${why.join(', ')}`)
  }
}
