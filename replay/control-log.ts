import { z } from 'zod'
import { BlockBuilder } from '../engine/block/block-builder.ts'
import { StreamError } from '../engine/errors.ts'
import { readRecords } from '../engine/log/read-records.ts'
import type { Commit, Log, LogView } from '../engine/ports/log.ts'

/** What was decided about a job, oldest first, in its topic `<job>.control`. The present state is a fold over it. */
const controlEvent = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('registered'),
    at: z.number(),
    version: z.number(),
    /** Of the bundle's text. */
    sha256: z.string(),
    parallelism: z.number(),
    fingerprint: z.string(),
  }),
  /** The owner stands still at its next slice's end, the version that is to follow it at the same positions. */
  z.object({ type: z.literal('holdRequested'), at: z.number(), id: z.string(), from: z.number(), to: z.number() }),
  /** Nothing was decided; all go on as before. */
  z.object({ type: z.literal('holdAborted'), at: z.number(), id: z.string(), reason: z.string() }),
  /** From here on `to` publishes. */
  z.object({
    type: z.literal('cutOver'),
    at: z.number(),
    id: z.string(),
    from: z.number(),
    to: z.number(),
    /** Next offset by source partition: what `from` has published is of the input before. */
    positions: z.record(z.string(), z.number()),
    /** What was due by these times has been published by `from`; null: nothing was. */
    watermark: z.number().nullable(),
    processing: z.number(),
    /** End of each public partition. */
    ends: z.record(z.string(), z.number()),
  }),
  /** No more input comes for this job; its sources take none. */
  z.object({ type: z.literal('sealed'), at: z.number(), version: z.number(), sources: z.array(z.string()) }),
])
export type ControlEvent = z.infer<typeof controlEvent>

export interface RegisteredVersion {
  readonly version: number
  readonly sha256: string
  readonly parallelism: number
  readonly fingerprint: string
}

export type CutOver = Extract<ControlEvent, { type: 'cutOver' }>

export interface ControlState {
  /** The newest. */
  readonly registered: RegisteredVersion | undefined
  /** The version that publishes: the first one, until another takes over. */
  readonly owner: number | undefined
  /** What is asked for and not decided. */
  readonly hold: { readonly id: string; readonly from: number; readonly to: number } | undefined
  /** By version: how it came to publish last, and the number of events up to and with that one. */
  readonly cutOvers: ReadonlyMap<number, CutOver & { readonly events: number }>
  /** Source topics of a job whose input was declared complete. */
  readonly sealed: readonly string[] | undefined
  /** Events so far. */
  readonly events: number
}

/** Pure. A decision whose hold is not the open one is void. */
export function foldControl(events: readonly ControlEvent[]): ControlState {
  let registered: RegisteredVersion | undefined
  let sealed: readonly string[] | undefined
  let owner: number | undefined
  let hold: ControlState['hold']
  const cutOvers = new Map<number, CutOver & { events: number }>()
  events.forEach((event, i) => {
    switch (event.type) {
      case 'registered':
        registered = event
        owner ??= event.version
        break
      case 'sealed':
        sealed = event.sources
        break
      case 'holdRequested':
        hold ??= event
        break
      case 'holdAborted':
        if (hold?.id === event.id) hold = undefined
        break
      case 'cutOver':
        if (hold?.id !== event.id) break
        hold = undefined
        owner = event.to
        cutOvers.set(event.to, { ...event, events: i + 1 })
    }
  })
  return { registered, sealed, owner, hold, cutOvers, events: events.length }
}

export const controlTopic = (job: string): string => `${job}.control`

/** Nothing was decided yet: the empty state. LOG_CORRUPT for an event that can't be read. */
export async function readControl(log: LogView, job: string): Promise<ControlState> {
  const topic = controlTopic(job)
  if (log.topic(topic) === undefined) return foldControl([])
  const { start, end } = log.bounds(topic, 0)
  const events: ControlEvent[] = []
  for await (const record of readRecords(log, topic, 0, start, end)) events.push(parse(record.value, topic, record.offset))
  return foldControl(events)
}

/**
 * Appends one event, durable when it resolves. COMMIT_CONFLICT when somebody else decided something since `after` was read, or a producer
 * of `others` stands elsewhere.
 */
export async function decide(
  log: Log,
  job: string,
  after: ControlState,
  event: ControlEvent,
  others: NonNullable<Commit['others']> = [],
): Promise<ControlState> {
  const topic = controlTopic(job)
  await log.createTopic({ name: topic, partitions: 1, kind: 'internal' })
  const producer = await log.producer(topic)
  const builder = new BlockBuilder()
  builder.add({ key: null, value: Buffer.from(JSON.stringify(controlEvent.parse(event))), eventTime: event.at })
  await producer.commit({
    expect: { seq: after.events, hash: '' },
    others,
    next: { seq: after.events + 1, hash: '' },
    appends: [{ topic, partition: 0, block: builder.finish() }],
  })
  return readControl(log, job)
}

/** Jobs that have a control log, by name. */
export function jobsOf(log: LogView): string[] {
  const ending = controlTopic('')
  return log
    .topics()
    .filter(({ name, kind }) => kind === 'internal' && name.endsWith(ending))
    .map(({ name }) => name.slice(0, -ending.length))
}

function parse(value: Uint8Array | null, topic: string, offset: number): ControlEvent {
  try {
    return controlEvent.parse(JSON.parse(Buffer.from(value ?? []).toString()))
  } catch (cause) {
    throw new StreamError('LOG_CORRUPT', { topic, offset, reason: 'not a control event' }, { cause })
  }
}
