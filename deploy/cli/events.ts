import type { Command } from 'commander'
import { type ClientFlags, clientOf, clientVerb } from './client-flags.ts'
import type { Terminal } from './terminal.ts'
import { printData, table } from './verb.ts'

interface Listed {
  readonly items: readonly { readonly id: string; readonly event: Readonly<Record<string, unknown>> }[]
}

export function eventsVerb(terminal: Terminal): Command {
  return clientVerb('events', {
    summary: 'What was decided about a job, by whom and why',
    examples: [['reprise events airport-delays', '']],
  })
    .argument('<job>')
    .action(async (job: string, _, command: Command) => {
      const flags = command.optsWithGlobals<ClientFlags>()
      const found = await (await clientOf(flags, terminal)).get<Listed>(`/api/v1/jobs/${encodeURIComponent(job)}/events`)
      const rows = found.items.map(({ id, event }) => {
        const { at, type, by, reason, version, from, to } = event as Record<string, string | number | undefined>
        const what = version !== undefined ? `v${version}` : from === undefined ? '' : `v${from} → v${to}`
        return [
          id,
          new Date(Number(at)).toISOString().slice(0, 19).replace('T', ' '),
          String(type),
          what,
          String(by ?? '–'),
          String(reason ?? ''),
        ]
      })
      printData(terminal, flags, found, table([['ID', 'AT (UTC)', 'EVENT', 'VERSION', 'BY', 'WHY'], ...rows]))
    })
}

interface Audited {
  readonly items: readonly Readonly<Record<'at' | 'by' | 'method' | 'path' | 'requestId', string> & { readonly status: number }>[]
}

export function auditVerb(terminal: Terminal): Command {
  return clientVerb('audit', {
    summary: 'Calls that were to change something, refused ones too, newest first',
    examples: [['reprise audit --limit 20', '']],
  })
    .option('--limit <n>', 'how many', '50')
    .action(async (_, command: Command) => {
      const flags = command.optsWithGlobals<ClientFlags & { readonly limit: string }>()
      const found = await (await clientOf(flags, terminal)).get<Audited>(`/api/v1/audit?limit=${encodeURIComponent(flags.limit)}`)
      const rows = found.items.map(({ at, by, method, path, status, requestId }) => [
        at.slice(0, 19).replace('T', ' '),
        by,
        method,
        path,
        String(status),
        requestId,
      ])
      printData(terminal, flags, found, table([['AT (UTC)', 'BY', 'METHOD', 'PATH', 'STATUS', 'REQUEST'], ...rows]))
    })
}
