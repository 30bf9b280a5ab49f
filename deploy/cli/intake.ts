import { codeOf, StreamError } from '../../engine/errors.ts'
import { silentLogger } from '../../engine/ports/world.ts'
import type { InputFormat } from '../ingest/input-format.ts'
import type { ReadOptions } from '../ingest/input-record.ts'
import { type ClientFlags, clientOf } from './client-flags.ts'
import type { Terminal } from './terminal.ts'

export interface IntakeFlags extends ClientFlags {
  /** The data directory; absent: a server takes the records in. */
  readonly data?: string
  readonly key?: string
  readonly eventTime?: string
  readonly format?: InputFormat
  readonly sourceId?: string
  readonly kind?: 'stream' | 'table'
}

export interface IntakeFile {
  readonly topic: string
  readonly file: string
  readonly partitions: number | undefined
}

export interface IntakeProgress {
  readonly onBad: ReadOptions['onBad']
  readonly onTaken: (records: number, share: number | undefined) => void
}

/** Where files are taken in: a data directory, or the server that has it open. */
export interface Intake {
  /** Makes sure that its topic is there and takes records. @returns what takes the file in. */
  open(file: IntakeFile): Promise<(progress: IntakeProgress) => Promise<{ readonly added: number; readonly skipped: number }>>
  close(): Promise<void>
}

/** USAGE where both are named. */
export function openIntake(flags: IntakeFlags, terminal: Terminal): Promise<Intake> {
  const { data } = flags
  if (data !== undefined && flags.server !== undefined)
    throw new StreamError('USAGE', { reason: '--data and --server are both given' }, { fix: 'name one: where the records are to go' })
  return data === undefined ? intakeAtServer(flags, terminal) : intakeOfData(data, flags)
}

async function intakeAtServer(flags: IntakeFlags, terminal: Terminal): Promise<Intake> {
  const [{ openAtServer, producerOf, sendIn }, { realClock }] = await Promise.all([
    import('../ingest/send-in.ts'),
    import('../real-clock.ts'),
  ])
  const client = await clientOf(flags, terminal)
  const { key, eventTime: time, kind, format, sourceId } = flags
  return {
    open: async ({ topic, file, partitions }) => {
      const producer = await producerOf(file, sourceId, [key, time, format])
      const to = { client, topic, producer, key, time, kind, partitions }
      await openAtServer(to)
      return (progress) => sendIn({ to, file, clock: realClock, ...progress, ...(format === undefined ? {} : { format }) })
    },
    close: async () => {},
  }
}

async function intakeOfData(directory: string, flags: IntakeFlags): Promise<Intake> {
  const [{ DataDirectory }, { fieldReader, takeIn }, { openTopic }, { checkKnown, refusalOf }, { writersIn }, { realClock }, { noProbe }] =
    await Promise.all([
      import('../data-directory.ts'),
      import('../ingest/take-in.ts'),
      import('../ingest/open-topic.ts'),
      import('../ingest/sealed-topic.ts'),
      import('../output-owner.ts'),
      import('../real-clock.ts'),
      import('../../engine/ports/world.ts'),
    ])
  const opening = DataDirectory.open({ directory, logger: silentLogger, probe: noProbe, memoryBytesMax: 0, leadsJobs: false })
  const data = await opening.catch((error: unknown) => {
    throw sendingItInstead(error)
  })
  const writers = await writersIn(data.log)
  return {
    open: async ({ topic, file, partitions }) => {
      await checkKnown(data.log, { topic, file, sourceId: flags.sourceId }, writers)
      await openTopic(data.log, topic, writers, { kind: flags.kind, partitions })
      return (progress) =>
        takeIn({
          log: data.log,
          topic,
          file,
          clock: realClock,
          read: fieldReader(flags.key, flags.eventTime),
          refusal: refusalOf(topic, writers),
          ...progress,
          ...(flags.format === undefined ? {} : { format: flags.format }),
          ...(flags.sourceId === undefined ? {} : { sourceId: flags.sourceId }),
        })
    },
    close: () => data.close(),
  }
}

function sendingItInstead(error: unknown): unknown {
  if (codeOf(error) !== 'LOG_LOCKED') return error
  const { details, fix } = error as StreamError
  const send = 'if that is a server, it takes the files in: --server <url> in the place of --data'
  return new StreamError('LOG_LOCKED', details, { cause: error, fix: fix === undefined ? send : `${send}; else ${fix}` })
}
