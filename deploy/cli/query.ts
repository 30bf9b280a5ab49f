import type { Command } from 'commander'
import { StreamError } from '../../engine/errors.ts'
import { type ClientFlags, clientOf, clientVerb, versionOf } from './client-flags.ts'
import { wholeNumber } from './flag-values.ts'
import type { Terminal } from './terminal.ts'
import { printData, say, table } from './verb.ts'

interface Found {
  readonly items: readonly { readonly key: string; readonly value: unknown; readonly offset: string }[]
  readonly next: string | null
  readonly version: number | null
  readonly control: number | null
}

interface QueryFlags extends ClientFlags {
  readonly prefix?: string
  readonly after?: string
  readonly version?: string
  readonly limit: string
}

export function queryVerb(terminal: Terminal): Command {
  return clientVerb('query', {
    summary: 'Rows of a table: the latest value of each key',
    examples: [
      ['reprise query delays-by-airport JFK/1767225600000', 'one key'],
      ['reprise query delays-by-airport --prefix JFK/ --limit 10', 'keys with this beginning'],
      ['reprise query delays-by-airport --version v2', 'as v2 has it, also while another one publishes'],
    ],
  })
    .argument('<table>', 'a topic that is a table')
    .argument('[key]')
    .option('--prefix <text>', 'keys with this beginning')
    .option('--after <key>', 'go on behind this key')
    .option('--version <version>', 'what this version gave for it, private or public (default: what is published)')
    .option('--limit <n>', 'rows at most', '20')
    .action(async (topic: string, key: string | undefined, _, command: Command) => {
      const flags = command.optsWithGlobals<QueryFlags>()
      const query = new URLSearchParams({ limit: String(wholeNumber('--limit', flags.limit, 1, 10_000)) })
      const { version } = versionOf(flags.version)
      if (version !== undefined) query.set('version', String(version))
      for (const [name, value] of Object.entries({ key, prefix: flags.prefix, after: flags.after }))
        if (value !== undefined) query.set(name, value)
      const found = await (await clientOf(flags, terminal)).get<Found>(`/api/v1/tables/${encodeURIComponent(topic)}?${query}`)
      if (key !== undefined && found.items.length === 0)
        throw new StreamError('KEY_UNKNOWN', { table: topic, key }, { fix: `reprise query ${topic} shows what there is` })
      printData(terminal, flags, found, table([['KEY', 'VALUE'], ...found.items.map((row) => [row.key, JSON.stringify(row.value)])]))
      if (found.next !== null) say(terminal, flags, `there are more: --after '${found.next}'`)
    })
}
