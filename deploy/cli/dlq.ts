import { Command } from 'commander'
import type { DeadLetter } from '../../replay/dead-letters.ts'
import { confirm } from './confirm.ts'
import { fieldsOf, lineText, wholeText } from './dlq-text.ts'
import { atLeast, errorCode } from './flag-values.ts'
import type { Terminal } from './terminal.ts'
import { type CommonFlags, printData, say, table, verb } from './verb.ts'

interface DlqFlags extends CommonFlags {
  readonly data: string
}

interface ListFlags extends DlqFlags {
  readonly all?: boolean
  readonly error?: string
  readonly limit?: number
}

interface ChangeFlags extends DlqFlags {
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
      const { withDeadLetterList } = await import('../dead-letters.ts')
      await withDeadLetterList(flags.data, job, async (queue) => {
        const found: DeadLetter[] = []
        let more = 0
        for await (const letter of queue.letters()) {
          if ((letter.decision !== undefined && !flags.all) || (flags.error !== undefined && letter.code !== flags.error)) continue
          if (found.length === flags.limit) more++
          else found.push(letter)
        }
        const header = ['ID', 'SOURCE', 'ERROR', 'FIELD', 'OPERATOR', 'SET ASIDE', ...(flags.all ? ['STATE'] : []), 'MESSAGE']
        const rows = found.map((letter) => lineText(letter, flags.all === true))
        const text = found.length === 0 ? 'no dead letters\n' : table([header, ...rows])
        printData(terminal, flags, { job: queue.job, letters: found.map(fieldsOf), more }, text)
        if (more > 0 && !flags.json) say(terminal, flags, `${more} more; see --limit`)
      })
    })
}

function showVerb(terminal: Terminal): Command {
  return common('show', {
    summary: 'Show one of them whole, with key, value and headers',
    examples: [['reprise dlq show shop 3 --data data', 'the id is that of the list']],
  })
    .argument('<id>', 'of the record', atLeast(0))
    .action(async (job: string, id: number, _, command: Command) => {
      const flags = command.optsWithGlobals<DlqFlags>()
      const { withDeadLetterList } = await import('../dead-letters.ts')
      await withDeadLetterList(flags.data, job, async (queue) => {
        const letter = await queue.letter(id)
        printData(terminal, flags, fieldsOf(letter), wholeText(letter))
      })
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
  })
    .option('-y, --yes', 'do not ask')
    .action(async (job: string, ids: number[], _, command: Command) => change('dropped', job, ids, command.optsWithGlobals(), terminal))
}

async function change(type: 'retried' | 'dropped', job: string, ids: number[], flags: ChangeFlags, terminal: Terminal): Promise<void> {
  const { withDeadLetters } = await import('../dead-letters.ts')
  await withDeadLetters(flags.data, job, async (queue) => {
    const plan = await queue.plan(type, { ids, all: flags.all === true, error: flags.error })
    const count = plan.ids.length
    if (!flags.dryRun && type === 'dropped' && count > 0 && !flags.yes) await confirm(terminal, `Drop ${records(count)} of ${queue.job}?`)
    const done = flags.dryRun ? plan.ids : await queue.carryOut(plan)
    const { already, timeResults } = plan
    printData(
      terminal,
      flags,
      { job: queue.job, dryRun: flags.dryRun === true, [type]: done, already, timeResults },
      `${flags.dryRun ? 'would be ' : ''}${type}: ${records(done.length)}\n`,
    )
    if (flags.json) return
    for (const letter of already) say(terminal, flags, `${letter.id} was ${letter.type} before`)
    if (timeResults.length > 0)
      say(
        terminal,
        flags,
        `${records(timeResults.length)} can't be retried (${timeResults.join(', ')}): a timer or a window gave them, not a record`,
      )
    if (type === 'retried' && !flags.dryRun && done.length > 0)
      say(terminal, flags, `next: reprise run <the job file of ${queue.job}> --data ${flags.data}`)
  })
}

function common(name: string, help: Parameters<typeof verb>[1]): Command {
  return verb(name, help).argument('<job>', "the job's name, or its file").requiredOption('--data <dir>', 'the data directory')
}

function changing(name: string, help: Parameters<typeof verb>[1]): Command {
  return common(name, help)
    .argument('[ids...]', 'of the records', (text: string, before: readonly number[] | undefined) => [...(before ?? []), atLeast(0)(text)])
    .option('--all', 'all that are open, within --error')
    .option('--error <code>', 'with --all: only those with this error code', errorCode)
    .option('--dry-run', 'say what would be done, and do nothing')
}

function records(count: number): string {
  return count === 1 ? '1 record' : `${count.toLocaleString('en-US')} records`
}
