import { Command, CommanderError } from 'commander'
import { StreamError } from '../../engine/errors.ts'
import { packageVersion } from '../package-version.ts'
import { backupVerb } from './backup.ts'
import { abortVerb, pauseVerb, promoteVerb, resumeVerb, rollbackVerb, skipVerb } from './control.ts'
import { deployVerb } from './deploy.ts'
import { describeVerb } from './describe.ts'
import { dlqVerb } from './dlq.ts'
import { doctorVerb } from './doctor.ts'
import { auditVerb, eventsVerb } from './events.ts'
import { exitCodeOf, exitCodes } from './exit-code.ts'
import { ingestVerb } from './ingest.ts'
import { lagVerb } from './lag.ts'
import { logVerb } from './log.ts'
import { outputsVerb } from './outputs.ts'
import { printError } from './print-error.ts'
import { queryVerb } from './query.ts'
import { rateVerb } from './rate.ts'
import { replayVerb } from './replay.ts'
import { runVerb } from './run.ts'
import { serverVerb } from './server.ts'
import { jobsVerb, statusVerb, versionsVerb } from './status.ts'
import { painter, type Terminal } from './terminal.ts'
import { tokenVerb } from './token.ts'
import { topicsVerb } from './topics.ts'
import { type CommonFlags, Exit, examplesText } from './verb.ts'
import { versionVerb } from './version.ts'
import { waitVerb } from './wait.ts'

/**
 * Runs one command line.
 * @param args without the names of node and the program.
 * @returns the exit code. Data went to `terminal.out`, everything else to `terminal.err`.
 */
export async function runProgram(args: readonly string[], terminal: Terminal): Promise<number> {
  const program = programOf(args, terminal)
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCodes.done
  } catch (error) {
    if (error instanceof Exit) return error.code
    if (error instanceof CommanderError && asked.has(error.code)) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage
    const flags = program.opts<CommonFlags>()
    const shown = error instanceof CommanderError ? usageError(error, args, program) : error
    printError(terminal.err, shown, { json: flags.json, verbose: flags.verbose, paint: painter(terminal.err, terminal.env, flags.color) })
    return exitCodeOf(shown)
  }
}

/** Help and version are printed already when commander throws these; `commander.help` is help because no verb was given. */
const asked = new Set(['commander.helpDisplayed', 'commander.version', 'commander.help'])

function programOf(args: readonly string[], terminal: Terminal): Command {
  const program = new Command('reprise')
    .description('A replayable stream engine: live and historical data by the same code.')
    .addHelpText('before', examplesText(examples))
    .option('--json', 'print data and errors as JSON; fields may be added, so ignore those you do not know')
    .option('--no-color', 'no colours (also: NO_COLOR=1)')
    .option('-q, --quiet', 'no messages, only data and errors')
    .option('-v, --verbose', 'more messages, and stack traces with errors')
  // Behind a verb it may be the verb's.
  if (args.every((arg) => arg.startsWith('-'))) program.version(packageVersion(), '-V, --version', 'print the version')
  for (const makeVerb of [...localVerbs, ...serverVerbs]) program.addCommand(makeVerb(terminal))
  configure(program, terminal)
  return program
}

/** On a data directory. */
const localVerbs = [runVerb, ingestVerb, describeVerb, topicsVerb, logVerb, dlqVerb, doctorVerb, versionVerb]

/** The server, and what asks it. */
const serverVerbs = [
  serverVerb,
  deployVerb,
  replayVerb,
  jobsVerb,
  versionsVerb,
  statusVerb,
  waitVerb,
  promoteVerb,
  rollbackVerb,
  abortVerb,
  pauseVerb,
  resumeVerb,
  skipVerb,
  rateVerb,
  lagVerb,
  queryVerb,
  outputsVerb,
  eventsVerb,
  auditVerb,
  tokenVerb,
  backupVerb,
]

const examples = [
  ['reprise run job.ts --data data --ingest flights=flights.ndjson --until-end', 'run a job over a file'],
  ['reprise log tail delays-by-airport --data data', 'look at what it wrote'],
  ['reprise run --help', 'what a verb can do'],
] as const

/** Errors are thrown, not printed and ended with, here and in all verbs below. */
function configure(command: Command, terminal: Terminal): void {
  command.exitOverride().helpOption('-h, --help', 'print this help').helpCommand(false)
  command.configureHelp({ showGlobalOptions: true })
  command.configureOutput({ writeOut: terminal.out.write, writeErr: terminal.err.write, outputError: () => {} })
  for (const verb of command.commands) configure(verb, terminal)
}

/** The verb a command line names, with its group. */
function verbsIn(args: readonly string[], program: Command): string[] {
  const verbs: string[] = []
  let at = program
  for (const arg of args) {
    const next = at.commands.find((command) => command.name() === arg)
    if (next === undefined) continue
    verbs.push(arg)
    at = next
  }
  return verbs
}

/** Commander's message, with what it suggests as the way out. */
function usageError(error: CommanderError, args: readonly string[], program: Command): StreamError {
  const [, reason, suggestion] = /^(?:error: )?(.*?)\n?(?:\(Did you mean (.*)\?\))?$/s.exec(error.message)!
  const help = ['reprise', ...verbsIn(args, program), '--help'].join(' ')
  return new StreamError(
    'USAGE',
    { reason: reason!.trim() },
    { fix: suggestion === undefined ? help : `did you mean ${suggestion}? See ${help}` },
  )
}
