import { type Command, Option } from 'commander'
import { StreamError } from '../../engine/errors.ts'
import { type InputFormat, inputFormats, standardInput } from '../ingest/input-format.ts'
import type { IngestRequest, RunSummary } from '../run-on-embedded-log.ts'
import { durationOf } from './duration-flag.ts'
import { exitCodes } from './exit-code.ts'
import { checkReadOnce, manyTimes, pair, partitionsOf, wholeNumber } from './flag-values.ts'
import { watchForLoops } from './loop-watch.ts'
import { errorMessage } from './print-error.ts'
import { type OnBad, onBadPolicies, RefusedLines } from './refused-lines.ts'
import { RunProgress } from './run-progress.ts'
import { stopSignals } from './stop-signals.ts'
import { painter, type Terminal } from './terminal.ts'
import { type CommonFlags, Exit, printData, say, table, verb } from './verb.ts'

interface RunFlags extends CommonFlags {
  readonly data: string
  readonly ingest: readonly string[]
  readonly partitions: readonly string[]
  readonly format?: InputFormat
  readonly sourceId?: string
  readonly onBad: OnBad
  readonly parallelism?: string
  readonly memory: string
  readonly untilEnd?: boolean
  readonly complete?: boolean
  readonly metricsFile?: string
  readonly watchdog: string
  readonly set: readonly string[]
}

export function runVerb(terminal: Terminal): Command {
  return verb('run', {
    summary: 'Run a job on the embedded log of a data directory; started again it goes on where it was',
    examples: [
      ['reprise run job.ts --data data --ingest flights=flights.ndjson --until-end', 'take a file in, run to its end'],
      ['reprise run job.ts --data data --complete', 'no more input comes: what is open fires'],
      ['reprise run job.ts --data data', 'go on until Ctrl-C'],
    ],
  })
    .argument('<job>', 'the job file: TypeScript or JavaScript with `export default defineJob(...)`')
    .requiredOption('--data <dir>', 'the data directory; made if need be')
    .addOption(
      manyTimes(
        '--ingest <topic=file>',
        'take a file in first: .ndjson, .json (an array), .csv, or - for NDJSON from standard input; can be given again',
      ),
    )
    .addOption(manyTimes('--partitions <topic=n>', 'partitions of a source topic that does not exist yet; can be given again'))
    .addOption(new Option('--format <format>', 'what is in the files, where their names do not say it').choices(inputFormats))
    .option('--source-id <name>', 'what names the records of standard input, so that they are taken in once')
    .addOption(new Option('--on-bad <policy>', 'lines of input files that are no records').choices(onBadPolicies).default('fail'))
    .option('--parallelism <n>', 'tasks of each stage (default: 1); fixed when the job first runs')
    .option('--memory <MB>', 'state kept in memory at most; the rest goes to disk', '512')
    .option('--watchdog <duration>', 'the run ends when the code of the job does not come back for so long', '30s')
    .option('--until-end', 'stop at the end of the log')
    .option('--complete', 'run to the end of the log and declare the input complete: what is open fires, later input is refused')
    .addOption(manyTimes('--set <name=value>', 'a setting, see docs/settings.md; can be given again'))
    .option('--metrics-file <file>', 'write metrics in the text format of Prometheus, each second and at the end')
    .action(async (file: string, _, command: Command) => {
      const flags = command.optsWithGlobals<RunFlags>()
      const summary = await run(file, flags, terminal)
      printData(terminal, flags, summary, summaryText(summary))
    })
}

/** What a run says, with the lines of its input files that were left out. */
type Summary = RunSummary & { readonly refused: number }

async function run(file: string, flags: RunFlags, terminal: Terminal): Promise<Summary> {
  if (flags.untilEnd && flags.complete)
    throw new StreamError('USAGE', { reason: '--until-end and --complete exclude each other' }, { fix: 'leave out one of them' })
  const ingest = flags.ingest.map((text) => ingestOf(text, flags))
  checkReadOnce(ingest.map(({ file }) => file))
  if (flags.sourceId !== undefined && !ingest.some(({ file }) => file === standardInput))
    throw new StreamError('USAGE', { reason: '--source-id names standard input' }, { fix: 'add --ingest topic=-, or leave it out' })
  const partitions = Object.fromEntries(flags.partitions.map(partitionsOf))
  const parallelism = flags.parallelism === undefined ? {} : { parallelism: wholeNumber('--parallelism', flags.parallelism, 1, 64) }
  const watchdogMs = durationOf('--watchdog', flags.watchdog)
  const memoryBytesMax = wholeNumber('--memory', flags.memory, 1, 1 << 20) * 2 ** 20
  // Loaded when needed: other verbs start without them.
  const [{ createLogger }, { PrometheusMetrics }, { parseSettings }, { failAt }, { openJobFile }, { DataDirectory }, { runOnEmbeddedLog }] =
    await Promise.all([
      import('../observability/logger.ts'),
      import('../observability/metrics.ts'),
      import('../settings.ts'),
      import('../fail-at.ts'),
      import('../load-job-file.ts'),
      import('../data-directory.ts'),
      import('../run-on-embedded-log.ts'),
    ])
  const settings = parseSettings(flags.set)
  const logger = createLogger({
    level: flags.quiet ? 'error' : flags.verbose ? 'info' : 'warn',
    format: flags.json ? 'json' : 'text',
    write: terminal.err.write,
  })
  const probe = failAt(terminal.env.REPRISE_FAIL_AT)
  const job = await openJobFile(file, logger)
  job.load()
  const metrics = new PrometheusMetrics()
  // A name that can't be written is told BEFORE anything is done.
  if (flags.metricsFile !== undefined) await metrics.writeTo(flags.metricsFile)
  const { log, state } = settings
  const data = await DataDirectory.open({ directory: flags.data, logger, metrics, probe, memoryBytesMax, log, state })
  const signals = stopSignals(() =>
    say(terminal, flags, 'stopping: finishing the slice, committing, writing a checkpoint (again to stop at once)'),
  )
  const refused = new RefusedLines(flags.onBad, terminal, flags)
  const progress = new RunProgress(terminal, { quiet: flags.quiet === true, total: () => sourceRecords(data.log, job.load().topology) })
  let written = Promise.resolve()
  // One after the other: they use the same name aside.
  const writeMetrics = () => {
    written = written
      .then(() => metrics.writeTo(flags.metricsFile!))
      .catch((error: unknown) => logger.error({ error }, 'metrics not written'))
    return written
  }
  const endWatch = watchForLoops(watchdogMs, loopMessage(file, watchdogMs, terminal, flags))
  const timer = flags.metricsFile === undefined ? undefined : setInterval(() => void writeMetrics(), 1000)
  try {
    const result = await runOnEmbeddedLog({
      job,
      data,
      ingest,
      partitions,
      ...parallelism,
      logger,
      metrics,
      probe,
      settings: settings.runtime,
      until: flags.complete ? 'complete' : flags.untilEnd ? 'end' : 'stopped',
      stop: signals.stop,
      onBad: refused.onBad,
      onTaken: (topic, records, share) => progress.taken(topic, records, share),
      onProgress: (totals) => progress.processed(totals.in),
    })
    const summary = { ...result, refused: refused.count }
    if (signals.stop.aborted && (flags.complete || flags.untilEnd)) {
      say(terminal, flags, 'stopped before the end; started again it goes on here')
      printData(terminal, flags, summary, summaryText(summary))
      throw new Exit(exitCodes.interrupted)
    }
    return summary
  } finally {
    clearInterval(timer)
    await endWatch()
    progress.end()
    signals.end()
    if (timer !== undefined) await writeMetrics()
    await data.close()
  }
}

function loopMessage(job: string, ms: number, { err, env }: Terminal, { json, verbose, color }: RunFlags): string {
  const error = new StreamError(
    'VERSION_UNRESPONSIVE',
    { job, reason: `its code did not come back for ${ms / 1000} s` },
    {
      fix: 'mend the function that loops; what was acknowledged is kept. For code that is slow: --watchdog 5m, or --set sliceRecordsMax=100',
    },
  )
  return errorMessage(error, { json, verbose, paint: painter(err, env, color) })
}

function sourceRecords(
  log: { topic(name: string): { partitions: number } | undefined; bounds(topic: string, partition: number): { end: number } },
  topology: { nodes: readonly { kind: string; topic?: { name: string } }[] },
): number {
  let records = 0
  for (const node of topology.nodes) {
    if (node.kind !== 'source') continue
    const name = node.topic!.name
    for (let partition = 0; partition < (log.topic(name)?.partitions ?? 0); partition++) records += log.bounds(name, partition).end
  }
  return records
}

function summaryText(summary: Summary): string {
  const number = (value: number) => value.toLocaleString('en-US')
  const withDerived = (outcome: 'skipped' | 'deadLettered') => {
    const derived = summary.derived[outcome]
    return `${number(summary[outcome])}${derived === 0 ? '' : `  and ${number(derived)} derived: results of windows and timers, records behind an exchange or that waited in a process`}`
  }
  const rows: [string, string][] = [
    ['job', `${summary.job} v${summary.version}${summary.sealed ? ', input complete' : ''}`],
    ...(summary.refused === 0 ? [] : [['refused', `${number(summary.refused)}  lines of input files`] as [string, string]]),
    ['in', number(summary.in)],
    ...Object.entries(summary.out).map(([topic, count]): [string, string] => ['out', `${number(count)}  ${topic}`]),
    ['late', number(summary.late)],
    ['skipped', withDerived('skipped')],
    ['dead-lettered', withDerived('deadLettered')],
    ['records/s', summary.recordsPerSecond === null ? '–  (nothing new)' : number(summary.recordsPerSecond)],
    ['output digest', summary.outputDigest],
  ]
  return table(rows)
}

function ingestOf(text: string, { sourceId, format }: RunFlags): IngestRequest {
  const [topic, file] = pair('--ingest', text, 'topic=file')
  const asSaid = format === undefined ? {} : { format }
  return { topic, file, ...asSaid, ...(sourceId === undefined || file !== standardInput ? {} : { sourceId }) }
}
