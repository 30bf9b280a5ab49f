import { Command } from 'commander'
import { atLeast } from './flag-values.ts'
import { type CommonFlags, verb } from './verb.ts'

export interface DlqFlags extends CommonFlags {
  readonly data: string
  /** Of the job's dead letters, those with this error code. */
  readonly error?: string
  readonly limit?: number
}

export interface DlqChangeFlags extends DlqFlags {
  readonly all?: boolean
  readonly dryRun?: boolean
  readonly yes?: boolean
}

export interface DlqActions {
  list(file: string, flags: DlqFlags): Promise<void>
  show(file: string, id: string, flags: DlqFlags): Promise<void>
  retry(file: string, ids: readonly string[], flags: DlqChangeFlags): Promise<void>
  drop(file: string, ids: readonly string[], flags: DlqChangeFlags): Promise<void>
}

/** `reprise dlq list|show|retry|drop`: records that a job set aside because they could not be processed. */
export function dlqVerb(act: DlqActions): Command {
  const list = verb('list', {
    summary: 'List the records that were set aside',
    examples: [
      ['reprise dlq list job.ts', 'id, place in the source, error, message'],
      ['reprise dlq list job.ts --error OPERATOR_THREW --limit 20', 'of one kind'],
    ],
  })
  const show = verb('show', {
    summary: 'Show one of them whole: value, headers, error and stack',
    examples: [['reprise dlq show job.ts flights/0@881', 'the id is that of the list']],
  })
  const retry = verb('retry', {
    summary: 'Let the job process them again, after its code was corrected',
    examples: [
      ['reprise dlq retry job.ts flights/0@881 --dry-run', 'say what would be done'],
      ['reprise dlq retry job.ts --all --error OPERATOR_THREW', 'all of one kind'],
    ],
  })
  const drop = verb('drop', {
    summary: 'Forget them for good',
    examples: [['reprise dlq drop job.ts flights/0@881 --yes', 'without a question; needed where nobody can answer one']],
  })
  return new Command('dlq')
    .description('Records that could not be processed')
    .addCommand(
      common(list.argument('<file>', 'the job file')).action(async (file: string, _, self: Command) =>
        act.list(file, self.optsWithGlobals()),
      ),
    )
    .addCommand(
      common(show.argument('<file>', 'the job file').argument('<id>', 'of the record')).action(
        async (file: string, id: string, _, self: Command) => act.show(file, id, self.optsWithGlobals()),
      ),
    )
    .addCommand(
      changing(retry).action(async (file: string, ids: string[], _, self: Command) => act.retry(file, ids, self.optsWithGlobals())),
    )
    .addCommand(changing(drop).action(async (file: string, ids: string[], _, self: Command) => act.drop(file, ids, self.optsWithGlobals())))
}

function common(command: Command): Command {
  return command
    .option('--data <dir>', 'the data directory', 'reprise-data')
    .option('--error <code>', 'only those with this error code')
    .option('--limit <records>', 'at most so many', atLeast(1))
}

function changing(command: Command): Command {
  return common(command.argument('<file>', 'the job file').argument('[ids...]', 'of the records'))
    .option('--all', 'all of them, within --error and --limit')
    .option('--dry-run', 'say what would be done, and do nothing')
    .option('-y, --yes', 'do not ask')
}
