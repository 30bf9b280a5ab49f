import type { Command } from 'commander'
import { realClock } from '../real-clock.ts'
import type { JobView } from '../server/views.ts'
import { type ClientFlags, clientOf, clientVerb } from './client-flags.ts'
import { exitCodes } from './exit-code.ts'
import { rowsOf } from './screen.ts'
import { duration, type PartitionOfVersion, partitionCells, statusLine, statusText } from './status-text.ts'
import { stopSignals } from './stop-signals.ts'
import { painter, type Terminal } from './terminal.ts'
import { Exit, printData, table } from './verb.ts'

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
    .option('-w, --watch', 'go on, once a second; in a pipe one line a version')
    .option('--exit-status', 'exit code 1 when the version that publishes is stopped')
    .action(async (job: string, _, command: Command) => {
      const flags = command.optsWithGlobals<StatusFlags>()
      const client = await clientOf(flags, terminal)
      const look = () => client.get<JobView>(`/api/v1/jobs/${encodeURIComponent(job)}`)
      const paint = painter(terminal.out, terminal.env, flags.color)
      const { live, columns } = terminal.out
      const screen = { paint, columns: live ? columns : Number.POSITIVE_INFINITY }
      if (!flags.watch) {
        const view = await look()
        printData(terminal, flags, view, statusText(view, screen))
        if (flags.exitStatus && stands(view)) throw new Exit(exitCodes.failed)
        return
      }
      const signals = stopSignals(() => {})
      let shown = 0
      let last: JobView | undefined
      while (!signals.stop.aborted) {
        const view = await look()
        last = view
        const alive = view.versions.filter(({ role }) => role !== 'aborted' && role !== 'retired')
        if (flags.json) terminal.out.write(`${JSON.stringify(view)}\n`)
        else if (!live) terminal.out.write(alive.map((one) => statusLine(one, view.cutOver)).join(''))
        else {
          const text = statusText(view, screen)
          terminal.out.write(`${shown === 0 ? '' : `\x1b[${shown}A`}\x1b[J${text}`)
          shown = rowsOf(text, columns)
        }
        await realClock.sleep(1000, signals.stop)
      }
      signals.end()
      if (flags.exitStatus && last !== undefined && stands(last)) throw new Exit(exitCodes.failed)
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

export function lagVerb(terminal: Terminal): Command {
  return clientVerb('lag', { summary: 'What waits for each version, by partition', examples: [['reprise lag airport-delays', '']] })
    .argument('<job>')
    .action(async (job: string, _, command: Command) => {
      const flags = command.optsWithGlobals<ClientFlags>()
      const path = `/api/v1/jobs/${encodeURIComponent(job)}/lag`
      const found = await (await clientOf(flags, terminal)).get<{ items: PartitionOfVersion[] }>(path)
      const rows = found.items.map(partitionCells)
      printData(
        terminal,
        flags,
        found,
        table([['VERSION', 'TOPIC', 'PARTITION', 'CURRENT-OFFSET', 'LOG-END-OFFSET', 'LAG', 'TIME-LAG'], ...rows]),
      )
    })
}
