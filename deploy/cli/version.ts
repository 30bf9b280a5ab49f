import type { Command } from 'commander'
import { packageVersion } from '../package-version.ts'
import type { Terminal } from './terminal.ts'
import { type CommonFlags, printData, table, verb } from './verb.ts'

export function versionVerb(terminal: Terminal): Command {
  const help = {
    summary: 'Versions of Reprise, Node.js and the platform',
    examples: [['reprise version --json', 'for a bug report']] as const,
  }
  return verb('version', help).action((_, command: Command) => {
    const versions = { reprise: packageVersion(), node: process.version, platform: `${process.platform} ${process.arch}` }
    printData(terminal, command.optsWithGlobals<CommonFlags>(), versions, table(Object.entries(versions)))
  })
}
