import { Command } from 'commander'
import { jsonText } from '../json-text.ts'
import type { Terminal } from './terminal.ts'

/** Flags that every verb takes. */
export interface CommonFlags {
  readonly json?: boolean
  /** Set unless --no-color is given. */
  readonly color: boolean
  readonly quiet?: boolean
  readonly verbose?: boolean
}

export interface VerbHelp {
  /** One line, for the list of verbs. */
  readonly summary: string
  /** Command lines with what they do, shown first. */
  readonly examples: readonly (readonly [command: string, effect: string])[]
}

/**
 * A verb of the command line; its help begins with examples. What a verb needs beyond its flags is imported when it runs, so that
 * `reprise --help` and `reprise version` start at once.
 */
export function verb(name: string, { summary, examples }: VerbHelp): Command {
  return new Command(name).description(summary).addHelpText('before', examplesText(examples))
}

export function examplesText(examples: VerbHelp['examples']): string {
  const width = Math.max(...examples.map(([command]) => command.length))
  const lines = examples.map(([command, effect]) => `  ${command.padEnd(width)}  ${effect}`)
  return `Examples:\n${lines.join('\n')}\n`
}

/** Ends a verb that printed its data with another exit code than 0. */
export class Exit extends Error {
  readonly code: number
  constructor(code: number) {
    super(`exit code ${code}`)
    this.code = code
  }
}

/** Data for standard output: as a table, text or JSON. */
export function printData(terminal: Terminal, flags: CommonFlags, data: unknown, text: string): void {
  terminal.out.write(flags.json ? `${jsonText(data)}\n` : text)
}

/** A message that is not data; not with --quiet. */
export function say(terminal: Terminal, flags: CommonFlags, text: string): void {
  if (!flags.quiet) terminal.err.write(`${text}\n`)
}

/** Columns as wide as their widest cell, two spaces apart. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]!.length))) ?? []
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}
