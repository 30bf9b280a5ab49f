import type { Command } from 'commander'
import { realClock } from '../real-clock.ts'
import type { AuditRow } from '../server/audit-log.ts'
import { type ClientFlags, clientOf, clientVerb } from './client-flags.ts'
import { onOneLine } from './record-fields.ts'
import { sinceHelp, sinceOf } from './since-flag.ts'
import { stopSignals } from './stop-signals.ts'
import type { Terminal } from './terminal.ts'
import { printData, say, table } from './verb.ts'

interface Listed {
  readonly items: readonly { readonly id: string; readonly event: Readonly<Record<string, unknown>> }[]
}

const header = ['ID', 'AT (UTC)', 'EVENT', 'VERSION', 'BY', 'WHY'] as const

export function eventsVerb(terminal: Terminal): Command {
  return clientVerb('events', {
    summary: 'What was decided about a job, by whom and why',
    examples: [
      ['reprise events airport-delays', ''],
      ['reprise events airport-delays -f --json', 'and what will be, one JSON object a line, until Ctrl-C'],
    ],
  })
    .argument('<job>')
    .option('-f, --follow', 'go on with new ones until Ctrl-C')
    .option('--since <when>', sinceHelp)
    .action(async (job: string, _, command: Command) => {
      const flags = command.optsWithGlobals<ClientFlags & { readonly follow?: boolean; readonly since?: string }>()
      const since = flags.since === undefined ? Number.NEGATIVE_INFINITY : sinceOf(flags.since, realClock.now())
      const client = await clientOf(flags, terminal)
      const after = (id: string) => client.get<Listed>(`/api/v1/jobs/${encodeURIComponent(job)}/events?after=${id}`)
      const wanted = ({ event }: Listed['items'][number]) => Number(event.at) >= since
      const found = await after('-1')
      if (!flags.follow) {
        const items = found.items.filter(wanted)
        return printData(terminal, flags, { items }, table([header, ...items.map(rowOf)]))
      }
      const signals = stopSignals(() => {})
      let last = '-1'
      for (let { items } = found; !signals.stop.aborted; { items } = await after(last)) {
        for (const item of items.filter(wanted))
          terminal.out.write(flags.json ? `${JSON.stringify(item)}\n` : `${rowOf(item).join('  ')}\n`)
        last = items.at(-1)?.id ?? last
        await realClock.sleep(1000, signals.stop)
      }
      signals.end()
    })
}

function rowOf({ id, event }: Listed['items'][number]): string[] {
  const { at, type, by, reason, version, from, to } = event as Record<string, string | number | undefined>
  const what = version !== undefined ? `v${version}` : from === undefined ? '' : `v${from} → v${to}`
  const when = new Date(Number(at)).toISOString().slice(0, 19).replace('T', ' ')
  return [id, when, String(type), what, String(by ?? '–'), onOneLine(String(reason ?? ''))]
}

interface Audited {
  readonly items: readonly AuditRow[]
}

export function auditVerb(terminal: Terminal): Command {
  return clientVerb('audit', {
    summary: 'Calls that were to change something, refused ones too, newest first',
    examples: [
      ['reprise audit --limit 20', ''],
      ['reprise audit --since 2h', 'all of the last two hours, 1000 at most'],
    ],
  })
    .option('--limit <n>', 'how many (default: 50, with --since 1000)')
    .option('--since <when>', sinceHelp)
    .action(async (_, command: Command) => {
      const flags = command.optsWithGlobals<ClientFlags & { readonly limit?: string; readonly since?: string }>()
      const since = flags.since === undefined ? undefined : sinceOf(flags.since, realClock.now())
      const limit = flags.limit ?? (since === undefined ? '50' : '1000')
      const newest = await (await clientOf(flags, terminal)).get<Audited>(`/api/v1/audit?limit=${encodeURIComponent(limit)}`)
      const items = newest.items.filter(({ at }) => since === undefined || Date.parse(at) >= since)
      if (since !== undefined && items.length === Number(limit)) say(terminal, flags, `only the newest ${limit} are shown`)
      const rows = items.map(({ at, by, method, path, job = '–', version, status, requestId }) => [
        at.slice(0, 19).replace('T', ' '),
        by,
        method,
        path,
        job,
        version === undefined ? '–' : `v${version}`,
        String(status),
        requestId,
      ])
      printData(terminal, flags, { items }, table([['AT (UTC)', 'BY', 'METHOD', 'PATH', 'JOB', 'VERSION', 'STATUS', 'REQUEST'], ...rows]))
    })
}
