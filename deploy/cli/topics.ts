import type { Command } from 'commander'
import { StreamError } from '../../engine/errors.ts'
import type { KeepChange, LogView, TopicInfo } from '../../engine/ports/log.ts'
import { durationText } from '../../operators/duration.ts'
import { changeKeep, type ShownKeep, shownKeep } from '../topic-keep.ts'
import { asking, type ClientFlags, clientOf } from './client-flags.ts'
import { durationOf } from './duration-flag.ts'
import { bytesOfText, bytesText } from './size-text.ts'
import type { Terminal } from './terminal.ts'
import { printData, table, verb } from './verb.ts'

interface TopicsFlags extends ClientFlags {
  readonly data?: string
  readonly all?: boolean
}

interface SetFlags extends TopicsFlags {
  readonly retention?: string
  readonly retentionBytes?: string
  readonly compact?: boolean
}

interface ListedTopic extends ShownKeep {
  readonly name: string
  readonly kind: string
  readonly partitions: readonly { readonly start: number; readonly end: number }[]
}

export function topicsVerb(terminal: Terminal): Command {
  return asking(
    verb('topics', {
      summary: 'List the topics of a data directory or a server, and change what one keeps',
      examples: [
        ['reprise topics --data data', 'name, kind, partitions, number of records; also while a job runs there'],
        ['reprise topics --data data --all --json', 'with journals and exchanges, for a script'],
        ['reprise topics', 'of a server'],
        ['reprise topics set flights --retention 7d', 'see reprise topics set --help'],
      ],
    }),
  )
    .option('--data <dir>', 'the data directory; without it a server is asked')
    .option('--all', 'internal topics too: journals, exchanges')
    .addCommand(setVerb(terminal))
    .action(async (_, command: Command) => {
      const flags = command.optsWithGlobals<TopicsFlags>()
      const all = flags.data === undefined ? await listedByServer(flags, terminal) : await listedIn(flags.data)
      const topics = all.filter(({ kind }) => flags.all === true || kind !== 'internal').sort((a, b) => (a.name < b.name ? -1 : 1))
      printData(terminal, flags, { topics }, textOf(topics))
    })
}

function setVerb(terminal: Terminal): Command {
  return verb('set', {
    summary: 'Change what a topic keeps. Old records go in the background, but none that a version still needs',
    examples: [
      ['reprise topics set flights --retention 7d', 'records written more than 7 days ago go'],
      ['reprise topics set flights --retention-bytes 10GB', 'and the oldest, while a partition has more than 10 GB'],
      ['reprise topics set flights --retention forever --retention-bytes unlimited', 'nothing goes any more'],
      ['reprise topics set delays-by-airport --compact --data data', 'of a table: only the latest value of each key stays'],
    ],
  })
    .argument('<topic>')
    .option('--retention <duration>', 'how long a record stays, as 7d; forever')
    .option('--retention-bytes <size>', 'how much of a partition stays, as 10GB; unlimited')
    .option('--compact', 'of a table: older values of a key go')
    .option('--no-compact', 'they stay')
    .action(async (topic: string, _, command: Command) => {
      const flags = command.optsWithGlobals<SetFlags>()
      const change = changeOf(flags)
      const keep = shownKeep(
        flags.data === undefined
          ? await (await clientOf(flags, terminal)).patch<ShownKeep>(`/api/v1/topics/${encodeURIComponent(topic)}`, change)
          : await changedIn(flags.data, topic, change),
      )
      printData(terminal, flags, { name: topic, ...keep }, `${topic} keeps ${keepText(keep)}\n`)
    })
}

/** USAGE. */
function changeOf({ retention, retentionBytes, compact }: SetFlags): KeepChange {
  const retentionMs = retention === undefined ? undefined : retention === 'forever' ? null : durationOf('--retention', retention)
  if (retentionMs === 0)
    throw new StreamError('USAGE', { reason: '--retention 0 would keep nothing' }, { fix: 'for example --retention 1h' })
  const bytes =
    retentionBytes === undefined ? undefined : retentionBytes === 'unlimited' ? null : bytesOfText('--retention-bytes', retentionBytes)
  const change = {
    ...(retentionMs === undefined ? {} : { retentionMs }),
    ...(bytes === undefined ? {} : { retentionBytes: bytes }),
    ...(compact === undefined ? {} : { compacted: compact }),
  }
  if (Object.keys(change).length > 0) return change
  throw new StreamError(
    'USAGE',
    { reason: 'nothing is to be changed' },
    { fix: 'give --retention, --retention-bytes, --compact or --no-compact' },
  )
}

async function changedIn(data: string, topic: string, change: KeepChange): Promise<TopicInfo> {
  const { withExistingLog } = await import('../open-existing-log.ts')
  return withExistingLog(data, (log) => changeKeep(log, topic, change))
}

async function listedIn(data: string): Promise<ListedTopic[]> {
  const { withLogView } = await import('../open-existing-log.ts')
  return withLogView(data, async (log) => log.topics().map((topic) => listed(log, topic)))
}

function listed(log: LogView, topic: TopicInfo): ListedTopic {
  const { name, kind, partitions } = topic
  return { name, kind, partitions: Array.from({ length: partitions }, (_, i) => log.bounds(name, i)), ...shownKeep(topic) }
}

async function listedByServer(flags: ClientFlags, terminal: Terminal): Promise<ListedTopic[]> {
  interface View extends ShownKeep {
    readonly topic: string
    readonly kind: string
    readonly partitions: readonly { readonly start: string; readonly end: string }[]
  }
  const { items } = await (await clientOf(flags, terminal)).get<{ items: readonly View[] }>('/api/v1/topics')
  return items.map(({ topic, kind, partitions, ...keep }) => ({
    name: topic,
    kind,
    partitions: partitions.map(({ start, end }) => ({ start: Number(start), end: Number(end) })),
    ...shownKeep(keep),
  }))
}

function textOf(topics: readonly ListedTopic[]): string {
  if (topics.length === 0) return 'no topics\n'
  const rows = topics.map(({ name, kind, partitions, ...keep }) => {
    const records = partitions.reduce((sum, { start, end }) => sum + end - start, 0)
    return [name, kind, String(partitions.length), records.toLocaleString('en-US'), kind === 'internal' ? '' : keepText(keep)]
  })
  return table([['TOPIC', 'KIND', 'PARTITIONS', 'RECORDS', 'KEEPS'], ...rows])
}

function keepText({ retentionMs, retentionBytes, compacted }: ShownKeep): string {
  const limits = [
    ...(compacted ? ['the latest of each key'] : []),
    ...(retentionMs === null ? [] : [durationText(retentionMs)]),
    ...(retentionBytes === null ? [] : [`${bytesText(retentionBytes)} a partition`]),
  ]
  return limits.length === 0 ? 'all' : limits.join(', ')
}
