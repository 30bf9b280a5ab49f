import type { Command } from 'commander'
import { StreamError } from '../../engine/errors.ts'
import { mermaidOf } from './describe-mermaid.ts'
import { describedOf, textOf } from './describe-text.ts'
import type { Terminal } from './terminal.ts'
import { type CommonFlags, printData, verb } from './verb.ts'

interface DescribeFlags extends CommonFlags {
  readonly mermaid?: boolean
}

export function describeVerb(terminal: Terminal): Command {
  return verb('describe', {
    summary: 'Show what a job reads, does, keeps and writes, without running it',
    examples: [
      ['reprise describe job.ts', 'sources, operators with their state, outputs'],
      ['reprise describe job.ts --mermaid', 'the graph, for a README'],
    ],
  })
    .argument('<file>', 'the job file')
    .option('--mermaid', 'print a Mermaid flowchart')
    .action(async (file: string, _, command: Command) => {
      const flags = command.optsWithGlobals<DescribeFlags>()
      if (flags.mermaid && flags.json)
        throw new StreamError('USAGE', { reason: '--mermaid and --json exclude each other' }, { fix: 'leave out one of them' })
      const [{ openJobFile }, { createLogger }] = await Promise.all([import('../load-job-file.ts'), import('../observability/logger.ts')])
      const job = await openJobFile(
        file,
        createLogger({ level: flags.quiet ? 'silent' : 'info', format: 'text', write: terminal.err.write }),
      )
      const { topology } = job.load()
      const described = describedOf(topology, job.bundle.sha256)
      printData(terminal, flags, described, flags.mermaid ? mermaidOf(topology) : textOf(described))
    })
}
