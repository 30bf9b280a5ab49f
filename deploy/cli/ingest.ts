import { type Command, Option } from 'commander'
import { StreamError } from '../../engine/errors.ts'
import { checkIdentity, inputFormats } from '../ingest/input-format.ts'
import { asking } from './client-flags.ts'
import { checkReadOnce, manyTimes, pair, partitionsOf } from './flag-values.ts'
import { type IntakeFlags, openIntake } from './intake.ts'
import { type OnBad, onBadPolicies, RefusedLines } from './refused-lines.ts'
import { RunProgress } from './run-progress.ts'
import type { Terminal } from './terminal.ts'
import { printData, table, verb } from './verb.ts'

interface IngestFlags extends IntakeFlags {
  readonly partitions: readonly string[]
  readonly onBad: OnBad
}

interface Taken {
  readonly topic: string
  readonly file: string
  /** Records that stand in the topic already, from an earlier ingest of the same content. */
  readonly skipped: number
  readonly added: number
  /** Lines that are no records. */
  readonly refused: number
}

export function ingestVerb(terminal: Terminal): Command {
  const ingestion = verb('ingest', {
    summary: 'Take files into topics without a job, at a server or with --data in a directory; the same file again adds nothing',
    examples: [
      ['reprise ingest flights=flights.ndjson --data data --key origin --event-time scheduledAt', 'key and time from fields'],
      ['reprise ingest flights=jan.csv flights=feb.csv --data data --on-bad skip', 'leave out what can not be read, and say which lines'],
      ['reprise ingest flights=flights.ndjson --server http://127.0.0.1:8787', 'the server takes it in'],
      ['tail -n +1 -f log | reprise ingest events=- --producer web-1', 'as it comes; begun anew, it goes on where it was'],
    ],
  })
  return asking(ingestion)
    .argument('<topic=file...>', '.ndjson, .json (an array), .csv, or - for NDJSON from standard input')
    .option('--data <dir>', 'the data directory, that no server has open; made if need be')
    .addOption(manyTimes('--partitions <topic=n>', 'partitions of a topic that does not exist yet; can be given again'))
    .option('--key <field>', 'the field that is the key; without it records are dealt out in turn')
    .option('--event-time <field>', 'the field that says when it happened: epoch ms, or a date and time as text; without it: now')
    .addOption(new Option('--format <format>', 'what is in the files, where their names do not say it').choices(inputFormats))
    .option('--producer, --source-id <name>', 'what names the records in the place of the content: for standard input, which needs one')
    .addOption(new Option('--kind <kind>', 'of a topic that does not exist yet (default: stream)').choices(['stream', 'table']))
    .addOption(new Option('--on-bad <policy>', 'lines that are no records').choices(onBadPolicies).default('fail'))
    .action(async (pairs: readonly string[], _, command: Command) => {
      const flags = command.optsWithGlobals<IngestFlags>()
      const taken = await ingest(pairs, flags, terminal)
      const rows = taken.map(({ topic, file, added, skipped, refused }) => [
        topic,
        file,
        ...[added, skipped, refused].map((count) => count.toLocaleString('en-US')),
      ])
      printData(terminal, flags, { ingested: taken }, table([['TOPIC', 'FILE', 'ADDED', 'SKIPPED', 'REFUSED'], ...rows]))
    })
}

async function ingest(pairs: readonly string[], flags: IngestFlags, terminal: Terminal): Promise<Taken[]> {
  const files = pairs.map((text) => pair('topic=file:', text, 'topic=file'))
  checkReadOnce(files.map(([, file]) => file))
  if (flags.sourceId !== undefined && files.length > 1) {
    throw new StreamError('USAGE', { reason: '--source-id names one source' }, { fix: 'take one file in at a time' })
  }
  for (const [, file] of files) checkIdentity(file, flags.sourceId)
  const partitions = new Map(flags.partitions.map(partitionsOf))
  for (const topic of partitions.keys()) {
    if (!files.some(([name]) => name === topic))
      throw new StreamError('USAGE', { reason: `--partitions ${topic}: no file goes to it` }, { fix: 'name a topic that is taken into' })
  }
  const intake = await openIntake(flags, terminal)
  const progress = new RunProgress(terminal, { quiet: flags.quiet === true, total: () => 0 })
  try {
    const wanted = files.map(([topic, file]) => ({ topic, file, partitions: partitions.get(topic) }))
    // All of them BEFORE the first file: a name that is refused must not leave half of the files taken in.
    const opened = []
    for (const one of wanted) opened.push({ ...one, take: await intake.open(one) })
    const taken: Taken[] = []
    for (const { topic, file, take } of opened) {
      const refused = new RefusedLines(flags.onBad, terminal, flags)
      const counts = await take({ onBad: refused.onBad, onTaken: (records, share) => progress.taken(topic, records, share) })
      taken.push({ topic, file, ...counts, refused: refused.count })
    }
    return taken
  } finally {
    progress.end()
    await intake.close()
  }
}
