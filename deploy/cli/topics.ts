import type { Command } from 'commander'
import type { LogView } from '../../engine/ports/log.ts'
import type { Terminal } from './terminal.ts'
import { type CommonFlags, printData, table, verb } from './verb.ts'

interface TopicsFlags extends CommonFlags {
  readonly data: string
  readonly all?: boolean
}

interface ListedTopic {
  readonly name: string
  readonly kind: string
  readonly partitions: readonly { readonly start: number; readonly end: number }[]
}

export function topicsVerb(terminal: Terminal): Command {
  return verb('topics', {
    summary: 'List the topics of a data directory',
    examples: [
      ['reprise topics --data data', 'name, kind, partitions, number of records; also while a job runs there'],
      ['reprise topics --data data --all --json', 'with journals and exchanges, for a script'],
    ],
  })
    .requiredOption('--data <dir>', 'the data directory')
    .option('--all', 'internal topics too: journals, exchanges')
    .action(async (_, command: Command) => {
      const flags = command.optsWithGlobals<TopicsFlags>()
      const { withLogView } = await import('../open-existing-log.ts')
      const topics = await withLogView(flags.data, async (log) => listed(log, flags.all === true))
      printData(terminal, flags, { topics }, textOf(topics))
    })
}

function listed(log: LogView, all: boolean): ListedTopic[] {
  const topics = log.topics().filter(({ kind }) => all || kind !== 'internal')
  return topics
    .map(({ name, kind, partitions }) => ({ name, kind, partitions: Array.from({ length: partitions }, (_, i) => log.bounds(name, i)) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function textOf(topics: readonly ListedTopic[]): string {
  if (topics.length === 0) return 'no topics\n'
  const rows = topics.map(({ name, kind, partitions }) => {
    const records = partitions.reduce((sum, { start, end }) => sum + end - start, 0)
    return [name, kind, String(partitions.length), records.toLocaleString('en-US')]
  })
  return table([['TOPIC', 'KIND', 'PARTITIONS', 'RECORDS'], ...rows])
}
