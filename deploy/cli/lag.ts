import { type Command, Option } from 'commander'
import { type ClientFlags, clientOf, clientVerb } from './client-flags.ts'
import { type PartitionOfVersion, partitionCells } from './status-text.ts'
import type { Terminal } from './terminal.ts'
import { Exit, printData, table } from './verb.ts'
import { watch } from './watch.ts'

interface LagFlags extends ClientFlags {
  readonly watch?: boolean
  readonly sort: 'partition' | 'lag'
  readonly onlyLagging?: boolean
}

interface Lags {
  readonly items: readonly PartitionOfVersion[]
}

const header = ['VERSION', 'TOPIC', 'PARTITION', 'CURRENT-OFFSET', 'LOG-END-OFFSET', 'LAG', 'TIME-LAG']

export function lagVerb(terminal: Terminal): Command {
  return clientVerb('lag', {
    summary: 'What waits for each version, by partition',
    examples: [
      ['reprise lag airport-delays', ''],
      ['reprise lag airport-delays --watch --sort lag --only-lagging', 'the worst on top, until Ctrl-C'],
    ],
  })
    .argument('<job>')
    .option('-w, --watch', 'go on until Ctrl-C, once a second; in a pipe each 30 s')
    .addOption(
      new Option('--sort <by>', 'by partition, or those with most records that wait first')
        .choices(['partition', 'lag'])
        .default('partition'),
    )
    .option('--only-lagging', 'only partitions in which something waits')
    .action(async (job: string, _, command: Command) => {
      const flags = command.optsWithGlobals<LagFlags>()
      const client = await clientOf(flags, terminal)
      const look = async () => ({ items: chosen((await client.get<Lags>(`/api/v1/jobs/${encodeURIComponent(job)}/lag`)).items, flags) })
      const text = ({ items }: Lags) => table([header, ...items.map(partitionCells)])
      if (flags.watch) throw new Exit((await watch(terminal, flags, { look, screen: text, lines: text })).exitCode)
      const found = await look()
      printData(terminal, flags, found, text(found))
    })
}

function chosen(items: Lags['items'], { sort, onlyLagging }: LagFlags): Lags['items'] {
  const kept = items.filter(({ lag }) => !onlyLagging || lag !== '0')
  return sort === 'lag' ? kept.sort((one, other) => Number(other.lag) - Number(one.lag)) : kept
}
