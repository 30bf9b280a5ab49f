import type { Command } from 'commander'
import type { JobView } from '../server/views.ts'
import { type ClientFlags, clientOf, clientVerb } from './client-flags.ts'
import { exitCodes } from './exit-code.ts'
import { duration, statusLine, statusText } from './status-text.ts'
import { painter, type Terminal } from './terminal.ts'
import { Exit, printData, table } from './verb.ts'
import { watch } from './watch.ts'

interface StatusFlags extends ClientFlags {
  readonly watch?: boolean
  readonly exitStatus?: boolean
}

export function statusVerb(terminal: Terminal): Command {
  return clientVerb('status', {
    summary: 'Who publishes, what replays, and what stands in the way',
    examples: [['reprise status airport-delays --watch', 'goes on until Ctrl-C; what runs on the server is not touched by that']],
  })
    .argument('<job>')
    .option('-w, --watch', 'go on until Ctrl-C, once a second; in a pipe one line a version each 30 s')
    .option('--exit-status', 'exit code 1 when the version that publishes is stopped')
    .action(async (job: string, _, command: Command) => {
      const flags = command.optsWithGlobals<StatusFlags>()
      const client = await clientOf(flags, terminal)
      const look = () => client.get<JobView>(`/api/v1/jobs/${encodeURIComponent(job)}`)
      const paint = painter(terminal.out, terminal.env, flags.color)
      const { live, columns } = terminal.out
      const shown = { paint, columns: live ? columns : Number.POSITIVE_INFINITY }
      const screen = (view: JobView) => statusText(view, shown)
      if (!flags.watch) {
        const view = await look()
        printData(terminal, flags, view, screen(view))
        if (flags.exitStatus && stands(view)) throw new Exit(exitCodes.failed)
        return
      }
      const lines = ({ versions, cutOver }: JobView) =>
        versions
          .filter(({ role }) => role !== 'aborted' && role !== 'retired')
          .map((one) => statusLine(one, cutOver))
          .join('')
      const { last, exitCode } = await watch(terminal, flags, { look, screen, lines })
      throw new Exit(flags.exitStatus && stands(last) ? exitCodes.failed : exitCode)
    })
}

/** Whether nothing is published any more. */
function stands({ versions, active }: JobView): boolean {
  return versions.find(({ version }) => version === active)?.health === 'stopped'
}

export function jobsVerb(terminal: Terminal): Command {
  return clientVerb('jobs', {
    summary: 'List the jobs of a server',
    examples: [['reprise jobs', 'with the version that publishes']],
  }).action(async (_, command: Command) => {
    const flags = command.optsWithGlobals<ClientFlags>()
    const found = await (await clientOf(flags, terminal)).get<{ items: JobView[] }>('/api/v1/jobs')
    const rows = found.items.map(({ job, active, candidates, standby, versions }) => {
      const owner = versions.find(({ version }) => version === active)
      const list = (numbers: readonly number[]) => numbers.map((version) => `v${version}`).join(' ') || '–'
      return [job, active === null ? '–' : `v${active}`, owner?.health ?? '–', list(candidates), standby === null ? '–' : `v${standby}`]
    })
    printData(terminal, flags, found, table([['JOB', 'ACTIVE', 'HEALTH', 'CANDIDATES', 'STANDBY'], ...rows]))
  })
}

export function versionsVerb(terminal: Terminal): Command {
  return clientVerb('versions', {
    summary: 'List the versions of a job, the newest first',
    examples: [['reprise versions airport-delays', '']],
  })
    .argument('<job>')
    .action(async (job: string, _, command: Command) => {
      const flags = command.optsWithGlobals<ClientFlags>()
      const view = await (await clientOf(flags, terminal)).get<JobView>(`/api/v1/jobs/${encodeURIComponent(job)}`)
      const rows = view.versions.map(({ version, role, phase, health, lag, deployedAt, by, sha256, message }) => [
        `v${version}`,
        role === 'active' ? 'ACTIVE' : role === 'candidate' ? (phase ?? role) : role,
        health === 'running' ? '' : health,
        lag === null ? '–' : duration(lag.seconds),
        deployedAt.slice(0, 16).replace('T', ' '),
        by ?? '–',
        sha256.slice(0, 6),
        message ?? '',
      ])
      printData(
        terminal,
        flags,
        { items: view.versions },
        table([['VERSION', 'STATE', 'HEALTH', 'LAG', 'DEPLOYED', 'BY', 'SHA', 'MESSAGE'], ...rows]),
      )
    })
}
