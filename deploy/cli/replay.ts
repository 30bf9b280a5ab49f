import { type Command, Option } from 'commander'
import type { VersionView } from '../server/views.ts'
import { type ClientFlags, clientOf, clientVerb, reasonOf, versionOf } from './client-flags.ts'
import { manyTimes } from './flag-values.ts'
import { fromHelp, fromOf } from './from-flag.ts'
import { type PolicyFlags, policyBody, policyFlags } from './policy-flags.ts'
import { rateBody, rateHelp } from './rate-flag.ts'
import type { Terminal } from './terminal.ts'
import { printData } from './verb.ts'

interface ReplayFlags extends ClientFlags, PolicyFlags {
  readonly from: readonly string[]
  readonly rate?: string
  readonly promote: 'manual' | 'auto'
  readonly message?: string
}

export function replayVerb(terminal: Terminal): Command {
  const replay = clientVerb('replay', {
    summary: 'Compute anew what a version computes: the same code as a new version, beside the one that publishes',
    examples: [
      ['reprise replay airport-delays -m "flights of May were taken in late"', 'the code of the active version, from offset zero'],
      ['reprise replay airport-delays v1 --from earliest-available', 'the code of another one, over what retention left'],
    ],
  })
    .argument('<job>')
    .argument('[version]', 'whose code; default: the active one')
    .addOption(manyTimes('--from <where>', fromHelp, 'zero'))
    .option('--rate <rate>', rateHelp)
    .addOption(new Option('--promote <how>', 'who switches over').choices(['manual', 'auto']).default('manual'))
  return policyFlags(replay)
    .option('-m, --message <text>', 'why')
    .action(async (job: string, version: string | undefined, _, command: Command) => {
      const flags = command.optsWithGlobals<ReplayFlags>()
      const asked = {
        ...versionOf(version),
        from: fromOf(flags.from),
        promote: flags.promote,
        ...policyBody(flags),
        ...rateBody(flags.rate),
        ...reasonOf(flags),
      }
      const made = await (await clientOf(flags, terminal)).post<VersionView>(`/api/v1/jobs/${encodeURIComponent(job)}/replays`, asked)
      printData(
        terminal,
        flags,
        made,
        `${job} v${made.version} replays beside the version that publishes.\nwatch: reprise status ${job} --watch\n`,
      )
    })
}
