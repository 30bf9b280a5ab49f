import { isUtf8 } from 'node:buffer'
import { type Command, Option } from 'commander'
import { StreamError } from '../../engine/errors.ts'
import type { LogRecord, Offset } from '../../engine/model/record.ts'
import type { Log } from '../../engine/ports/log.ts'
import { atLeast } from './flag-values.ts'
import { firstOffset, type LogStart, parseLogStart } from './log-start.ts'
import { bytesField, timeText, valueField } from './record-fields.ts'
import type { Terminal } from './terminal.ts'
import { type CommonFlags, verb } from './verb.ts'

interface LogTailFlags extends CommonFlags {
  readonly data: string
  readonly from: LogStart
  readonly partition?: number
  readonly limit?: number
}

export function logTailVerb(terminal: Terminal): Command {
  return verb('tail', {
    summary: 'Print records of a topic',
    examples: [
      ['reprise log tail flights --data data', 'the last ten of each partition'],
      ['reprise log tail flights --data data -o beginning --limit 5 --json', 'the first five, one JSON object a line'],
      ['reprise log tail flights --data data -o s@2001-01-14T21:00:00Z', 'from the first record of that time on'],
      ['reprise log tail flights --data data --partition 2 -o 881 --limit 1', 'one record, by its place'],
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
    .action(async (topic: string, _, command: Command) => {
      const flags = command.optsWithGlobals<LogTailFlags>()
      const [{ withExistingLog }, { readRecords }] = await Promise.all([
        import('../open-existing-log.ts'),
        import('../../engine/log/read-records.ts'),
      ])
      await withExistingLog(flags.data, async (log) => {
        let left = flags.limit ?? Number.POSITIVE_INFINITY
        for (const partition of partitionsOf(log, topic, flags.partition)) {
          for await (const record of readRecords(log, topic, partition, await startOf(log, topic, partition, flags))) {
            if (left-- === 0) return
            terminal.out.write(flags.json ? `${JSON.stringify(fieldsOf(topic, partition, record))}\n` : lineOf(partition, record))
          }
        }
      })
    })
}

function partitionsOf(log: Log, topic: string, only: number | undefined): readonly number[] {
  const info = log.topic(topic)
  if (info === undefined) throw new StreamError('TOPIC_UNKNOWN', { topic }, { fix: 'reprise topics --all lists what there is' })
  if (only === undefined) return Array.from({ length: info.partitions }, (_, partition) => partition)
  if (only < info.partitions) return [only]
  throw new StreamError('USAGE', { reason: `${topic} has no partition ${only}` }, { fix: `its partitions are 0 to ${info.partitions - 1}` })
}

async function startOf(log: Log, topic: string, partition: number, { from, partition: only }: LogTailFlags): Promise<Offset> {
  const { start, end } = log.bounds(topic, partition)
  const offset = await firstOffset(log, topic, partition, from)
  // Partitions differ in length: only the one that was named must reach up to the offset.
  if (offset < start || (offset > end && only !== undefined)) {
    throw new StreamError('OFFSET_OUT_OF_RANGE', { topic, partition, offset, earliest: start, end })
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
    ...(headers.length === 0 ? {} : { headers: headers.map((header) => [header.name, bytesField(header.value)]) }),
  }
}

function lineOf(partition: number, { offset, eventTime, key, value }: LogRecord): string {
  const text = (bytes: Uint8Array | null) =>
    bytes === null ? '–' : isUtf8(bytes) ? Buffer.from(bytes).toString() : `base64:${Buffer.from(bytes).toString('base64')}`
  return `${partition}@${offset}  ${timeText(eventTime) ?? '–'}  ${text(key)}  ${text(value)}\n`
}
