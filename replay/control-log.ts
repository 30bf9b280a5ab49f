import { z } from 'zod'
import { BlockBuilder } from '../engine/block/block-builder.ts'
import { StreamError } from '../engine/errors.ts'
import { readRecords } from '../engine/log/read-records.ts'
import type { Log, LogView } from '../engine/ports/log.ts'

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

export interface ControlState {
  readonly registered: RegisteredVersion | undefined
  /** Source topics of a job whose input was declared complete. */
  readonly sealed: readonly string[] | undefined
  /** Events so far. */
  readonly events: number
}

/** Pure. */
export function foldControl(events: readonly ControlEvent[]): ControlState {
  let registered: RegisteredVersion | undefined
  let sealed: readonly string[] | undefined
  for (const event of events) {
    if (event.type === 'registered') registered = event
    else sealed = event.sources
  }
  return { registered, sealed, events: events.length }
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

/** Appends one event, durable when it resolves. COMMIT_CONFLICT when somebody else decided something since `after` was read. */
export async function decide(log: Log, job: string, after: ControlState, event: ControlEvent): Promise<ControlState> {
  const topic = controlTopic(job)
  await log.createTopic({ name: topic, partitions: 1, kind: 'internal' })
  const producer = await log.producer(topic)
  const builder = new BlockBuilder()
  builder.add({ key: null, value: Buffer.from(JSON.stringify(event)), eventTime: event.at })
  await producer.commit({
    expect: { seq: after.events, hash: '' },
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
