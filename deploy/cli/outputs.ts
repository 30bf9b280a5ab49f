import type { Command } from 'commander'
import type { JobView } from '../server/views.ts'
import { type ClientFlags, clientOf, clientVerb, versionOf } from './client-flags.ts'
import type { Terminal } from './terminal.ts'
import { printData, table } from './verb.ts'

interface Found {
  readonly items: readonly {
    readonly output: string
    readonly partition: number
    readonly topic: string
    readonly from: string
    readonly to: string | null
  }[]
}

export function outputsVerb(terminal: Terminal): Command {
  return clientVerb('outputs', {
    summary: 'Where the results of a version are: which offsets of which topics, in the order it gave them',
    examples: [
      ['reprise outputs airport-delays v2', 'private topics, and public ones while it published'],
      ['reprise query delays-by-airport --version v2', 'the rows of a table of it'],
    ],
  })
    .argument('<job>')
    .argument('[version]', 'default: the newest candidate, else the active one')
    .action(async (job: string, version: string | undefined, _, command: Command) => {
      const flags = command.optsWithGlobals<ClientFlags>()
      const asked = versionOf(version).version
      const client = await clientOf(flags, terminal)
      const path = `/api/v1/jobs/${encodeURIComponent(job)}`
      const number = asked ?? newest(await client.get<JobView>(path))
      const found = await client.get<Found>(`${path}/versions/${number}/outputs`)
      const rows = found.items.map(({ output, partition, topic, from, to }) => [`${output}/${partition}`, topic, from, to ?? '–'])
      printData(terminal, flags, found, table([['OUTPUT', 'TOPIC', 'FROM', 'TO'], ...rows]))
    })
}

function newest({ candidates, active }: JobView): number {
  return Math.max(...(candidates.length > 0 ? candidates : [active ?? 1]))
}
