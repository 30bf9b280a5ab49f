import { Command } from 'commander'
import { asking } from './client-flags.ts'
import { confirm, dryRunShows } from './confirm.ts'
import { lineText, wholeText } from './dlq-text.ts'
import { atLeast, errorCode } from './flag-values.ts'
import { type DeskFlags, letterDesk } from './letter-desk.ts'
import type { Terminal } from './terminal.ts'
import { printData, say, table, verb } from './verb.ts'

interface ListFlags extends DeskFlags {
  readonly all?: boolean
  readonly error?: string
  readonly limit?: number
}

interface ChangeFlags extends DeskFlags {
  readonly all?: boolean
  readonly error?: string
  readonly dryRun?: boolean
  readonly yes?: boolean
}

/** `reprise dlq list|show|retry|drop`: records that a job set aside because they could not be processed. */
export function dlqVerb(terminal: Terminal): Command {
  return new Command('dlq')
    .description('Records that could not be processed: list, show, retry, drop')
    .addCommand(listVerb(terminal))
    .addCommand(showVerb(terminal))
    .addCommand(retryVerb(terminal))
    .addCommand(dropVerb(terminal))
}

function listVerb(terminal: Terminal): Command {
  return common('list', {
    summary: 'List the records that were set aside and are still open',
    examples: [
      ['reprise dlq list shop --data data', 'id, place in the source, error, field, operator, message'],
      ['reprise dlq list shop --data data --error OPERATOR_THREW --limit 20', 'of one kind'],
      ['reprise dlq list shop --data data --all --json', 'those retried or dropped too, for a script'],
    ],
  })
    .option('--all', 'also those that were retried or dropped')
    .option('--error <code>', 'only those with this error code', errorCode)
    .option('--limit <records>', 'at most so many, the oldest first', atLeast(1))
    .action(async (job: string, _, command: Command) => {
      const flags = command.optsWithGlobals<ListFlags>()
      const { all = false, error, limit } = flags
      const found = await letterDesk(job, flags, terminal).list({ all, error, limit })
      const header = ['ID', 'SOURCE', 'ERROR', 'FIELD', 'OPERATOR', 'SET ASIDE', ...(all ? ['STATE'] : []), 'MESSAGE']
      const rows = found.letters.map((letter) => lineText(letter, all))
      printData(terminal, flags, found, rows.length === 0 ? 'no dead letters\n' : table([header, ...rows]))
      if (found.more && !flags.json) say(terminal, flags, 'there are more; see --limit')
    })
}

function showVerb(terminal: Terminal): Command {
  return common('show', {
    summary: 'Show one of them whole, with key, value and headers',
    examples: [['reprise dlq show shop 3 --data data', 'the id is that of the list']],
  })
    .argument('<id>', 'of the record', atLeast(0))
    .action(async (job: string, id: number, _, command: Command) => {
      const flags = command.optsWithGlobals<DeskFlags>()
      const letter = await letterDesk(job, flags, terminal).show(id)
      printData(terminal, flags, letter, wholeText(letter))
    })
}

function retryVerb(terminal: Terminal): Command {
  return changing('retry', {
    summary: 'Let the job process them once more, at its next run; what fails again is set aside again',
    examples: [
      ['reprise dlq retry shop 3 4 --data data', 'those two; each is retried once, however often this is called'],
      ['reprise dlq retry shop --all --error OPERATOR_THREW --data data --dry-run', 'say what would be done'],
    ],
  }).action(async (job: string, ids: number[], _, command: Command) => change('retried', job, ids, command.optsWithGlobals(), terminal))
}

function dropVerb(terminal: Terminal): Command {
  return changing('drop', {
    summary: 'Close them without processing; they stay in the topic and in list --all',
    examples: [
      ['reprise dlq drop shop 3 --data data', 'asks first'],
      ['reprise dlq drop shop --all --data data --yes', 'without a question; needed where nobody can answer one'],
    ],
  }).action(async (job: string, ids: number[], _, command: Command) => change('dropped', job, ids, command.optsWithGlobals(), terminal))
}

async function change(type: 'retried' | 'dropped', job: string, ids: number[], flags: ChangeFlags, terminal: Terminal): Promise<void> {
  const dryRun = flags.dryRun === true
  const done = await letterDesk(job, flags, terminal).decide({
    type,
    ids,
    all: flags.all === true,
    error: flags.error,
    dryRun,
    confirm: async (name, count) => {
      if (!flags.yes) await confirm(terminal, `Drop ${records(count)} of ${name}?`, dryRunShows)
    },
  })
  const { already, timeResults } = done
  const data = { job: done.job, dryRun, [type]: done.ids, already, timeResults }
  printData(terminal, flags, data, `${dryRun ? 'would be ' : ''}${type}: ${records(done.ids.length)}\n`)
  if (flags.json) return
  for (const letter of already) say(terminal, flags, `${letter.id} was ${letter.type} before`)
  if (timeResults.length > 0)
    say(
      terminal,
      flags,
      `${records(timeResults.length)} can't be retried (${timeResults.join(', ')}): a timer or a window gave them, not a record`,
    )
  if (type === 'retried' && !dryRun && done.ids.length > 0 && flags.data !== undefined)
    say(terminal, flags, `next: reprise run <the job file of ${done.job}> --data ${flags.data}`)
}

function common(name: string, help: Parameters<typeof verb>[1]): Command {
  return asking(
    verb(name, help)
      .argument('<job>', "the job's name; with --data also its file")
      .option('--data <dir>', 'the data directory, where no server has it open; without it a server is asked'),
  )
}

function changing(name: string, help: Parameters<typeof verb>[1]): Command {
  return common(name, help)
    .argument('[ids...]', 'of the records', (text: string, before: readonly number[] | undefined) => [...(before ?? []), atLeast(0)(text)])
    .option('--all', 'all that are open, within --error')
    .option('--error <code>', 'with --all: only those with this error code', errorCode)
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('-y, --yes', 'do not ask; to retry never does')
}

function records(count: number): string {
  return count === 1 ? '1 record' : `${count.toLocaleString('en-US')} records`
}
