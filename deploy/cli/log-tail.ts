import { isUtf8 } from 'node:buffer'
import { type Command, Option } from 'commander'
import { StreamError } from '../../engine/errors.ts'
import type { ReadOnlyLog } from '../../engine/log/embedded/read-only-log.ts'
import { readRecords } from '../../engine/log/read-records.ts'
import type { LogRecord, Offset } from '../../engine/model/record.ts'
import type { LogView } from '../../engine/ports/log.ts'
import { jsonText } from '../json-text.ts'
import { exitCodes } from './exit-code.ts'
import { atLeast } from './flag-values.ts'
import { firstOffset, type LogStart, parseLogStart } from './log-start.ts'
import { bytesField, onOneLine, timeText, valueField } from './record-fields.ts'
import { stopSignals } from './stop-signals.ts'
import type { Terminal } from './terminal.ts'
import { type CommonFlags, Exit, verb } from './verb.ts'

interface LogTailFlags extends CommonFlags {
  readonly data: string
  readonly from: LogStart
  readonly partition?: number
  readonly limit?: number
  readonly follow?: boolean
}

export function logTailVerb(terminal: Terminal): Command {
  return verb('tail', {
    summary: 'Print records of a topic',
    examples: [
      ['reprise log tail flights --data data', 'the last ten of each partition'],
      ['reprise log tail flights --data data -o beginning --limit 5 --json', 'the first five, one JSON object a line'],
      ['reprise log tail flights --data data -o s@2001-01-14T21:00:00Z', 'from the first record of that time on'],
      ['reprise log tail flights --data data --partition 2 -o 881 --limit 1', 'one record, by its place'],
      ['reprise log tail delays --data data -f', 'and then the new ones as they come, while a job runs there'],
    ],
  })
    .argument('<topic>', 'the topic')
    .requiredOption('--data <dir>', 'the data directory')
    .addOption(
      new Option('-o, --from <start>', 'beginning, end, -10 (the last ten of each partition), an offset, or s@<time>')
        .argParser(parseLogStart)
        .default({ kind: 'last', records: 10 }, '-10'),
    )
    .option('--partition <number>', 'one partition only', atLeast(0))
    .option('--limit <records>', 'at most so many', atLeast(1))
    .option('-f, --follow', 'go on with new records until Ctrl-C')
    .addHelpText('after', followNote)
    .action(async (topic: string, _, command: Command) => {
      const flags = command.optsWithGlobals<LogTailFlags>()
      const { withFollowedLog, withLogView } = await import('../open-existing-log.ts')
      if (flags.follow) return withFollowedLog(flags.data, (log) => follow(log, topic, flags, terminal))
      await withLogView(flags.data, async (log) => (await Tail.begin(log, topic, flags, terminal)).print())
    })
}

const followNote = `
Beside a running process a commit shows when the next one is made, or after a second at the latest. With -f, the last commit of a process
that was killed meanwhile shows when the directory is opened the next time.
`

/** Prints until the limit (exit code 0) or a signal (130). */
async function follow(log: ReadOnlyLog, topic: string, flags: LogTailFlags, terminal: Terminal): Promise<void> {
  const { stop, end } = stopSignals(() => {})
  try {
    const tail = await Tail.begin(log, topic, flags, terminal)
    for (let seen = log.changes(); !(await tail.print(stop)); seen = log.changes()) {
      await log.changed(seen, stop)
      if (stop.aborted) throw new Exit(exitCodes.interrupted)
      // Damage is told here.
      await log.refresh()
    }
  } finally {
    end()
  }
}

/** Where the output has come to, by partition. */
class Tail {
  private readonly log: LogView
  private readonly topic: string
  private readonly next: Map<number, Offset>
  private readonly write: (partition: number, record: LogRecord) => void
  private left: number

  private constructor(log: LogView, topic: string, next: Map<number, Offset>, flags: LogTailFlags, { out }: Terminal) {
    this.log = log
    this.topic = topic
    this.next = next
    this.left = flags.limit ?? Number.POSITIVE_INFINITY
    this.write = (partition, record) =>
      out.write(flags.json ? `${jsonText(fieldsOf(topic, partition, record))}\n` : lineOf(partition, record))
  }

  /** Errors: TOPIC_UNKNOWN, USAGE, OFFSET_OUT_OF_RANGE. */
  static async begin(log: LogView, topic: string, flags: LogTailFlags, terminal: Terminal): Promise<Tail> {
    const next = new Map<number, Offset>()
    for (const partition of partitionsOf(log, topic, flags.partition)) next.set(partition, await startOf(log, topic, partition, flags))
    return new Tail(log, topic, next, flags, terminal)
  }

  /** Prints what is there, partition by partition. @returns true when the limit is reached. */
  async print(stop?: AbortSignal): Promise<boolean> {
    for (const [partition, from] of this.next) {
      const { end } = this.log.bounds(this.topic, partition)
      for await (const record of readRecords(this.log, this.topic, partition, from, end)) {
        if (stop?.aborted) return false
        this.write(partition, record)
        if (--this.left === 0) return true
      }
      this.next.set(partition, Math.max(from, end))
    }
    return false
  }
}

function partitionsOf(log: LogView, topic: string, only: number | undefined): readonly number[] {
  const info = log.topic(topic)
  if (info === undefined) throw new StreamError('TOPIC_UNKNOWN', { topic }, { fix: 'reprise topics --all lists what there is' })
  if (only === undefined) return Array.from({ length: info.partitions }, (_, partition) => partition)
  if (only < info.partitions) return [only]
  throw new StreamError('USAGE', { reason: `${topic} has no partition ${only}` }, { fix: `its partitions are 0 to ${info.partitions - 1}` })
}

async function startOf(log: LogView, topic: string, partition: number, { from, partition: only }: LogTailFlags): Promise<Offset> {
  const { start, end } = log.bounds(topic, partition)
  const offset = await firstOffset(log, topic, partition, from)
  // Partitions differ in length: only the one that was named must reach up to the offset.
  if (offset < start || (offset > end && only !== undefined)) {
    const fix = `offsets from ${start} to ${end} can be named; -o beginning is the earliest there is`
    throw new StreamError('OFFSET_OUT_OF_RANGE', { topic, partition, offset, earliest: start, end }, { fix })
  }
  return offset
}

function fieldsOf(topic: string, partition: number, { offset, eventTime, appendTime, key, value, headers }: LogRecord): object {
  return {
    topic,
    partition,
    offset,
    eventTime: timeText(eventTime),
    appendTime: timeText(appendTime),
    key: bytesField(key),
    value: valueField(value),
    headers: headers.map((header) => [header.name, bytesField(header.value)]),
  }
}

function lineOf(partition: number, { offset, eventTime, key, value }: LogRecord): string {
  const text = (bytes: Uint8Array | null) =>
    bytes === null ? '–' : isUtf8(bytes) ? onOneLine(Buffer.from(bytes).toString()) : `base64:${Buffer.from(bytes).toString('base64')}`
  return `${partition}@${offset}  ${timeText(eventTime) ?? '–'}  ${text(key)}  ${text(value)}\n`
}
