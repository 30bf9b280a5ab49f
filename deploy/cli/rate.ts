import type { Command } from 'commander'
import type { VersionView } from '../server/views.ts'
import { type ClientFlags, clientOf, clientVerb, reasonOf, versionOf } from './client-flags.ts'
import { limitText, rateOf } from './rate-flag.ts'
import type { Terminal } from './terminal.ts'
import { printData } from './verb.ts'

interface RateFlags extends ClientFlags {
  readonly message?: string
}

export function rateVerb(terminal: Terminal): Command {
  return clientVerb('rate', {
    summary: 'Limit what a version takes a second: records, bytes, or both',
    examples: [
      ['reprise rate airport-delays 20k', 'records, of the newest candidate'],
      ['reprise rate airport-delays 10MB', 'bytes; the limit on records stays as it is'],
      ['reprise rate airport-delays max v2', 'no limits'],
    ],
  })
    .argument('<job>')
    .argument('<rate>', 'records a second: 500, 20k, 1.5M; bytes a second: 500kB, 10MB (of 1000 and so on); max: no limits; 0: pause')
    .argument('[version]', 'default: the newest candidate, else the active one')
    .option('-m, --message <text>', 'why')
    .action(async (job: string, rate: string, version: string | undefined, _, command: Command) => {
      const flags = command.optsWithGlobals<RateFlags>()
      const asked = { ...versionOf(version), ...reasonOf(flags), ...rateOf(rate) }
      const view = await (await clientOf(flags, terminal)).post<VersionView>(`/api/v1/jobs/${encodeURIComponent(job)}/rate`, asked)
      const { recordsPerSecondMax: recordsPerSecond, bytesPerSecondMax: bytesPerSecond } = view
      const limit = view.health === 'paused' ? 'is paused' : limitText({ recordsPerSecond, bytesPerSecond })
      printData(terminal, flags, view, `${job} v${view.version} ${limit}\n`)
    })
}
