import { BlockBuilder } from '../engine/block/block-builder.ts'
import { StreamError } from '../engine/errors.ts'
import { readRecords } from '../engine/log/read-records.ts'
import type { Commit, Log, LogView, ProducerEnd } from '../engine/ports/log.ts'
import { type ControlEvent, controlEvent } from './control-event.ts'
import { applyEvent, type ControlState, foldControl, refusalOf } from './control-state.ts'

/** Its topic, and the producer of its events. */
export const controlTopic = (job: string): string => `${job}.control`

/** The end of the control log of which this is the state. */
export const controlEnd = ({ events }: ControlState): ProducerEnd => ({ seq: events, hash: '' })

/** Nothing was decided yet: the empty state. LOG_CORRUPT for an event that can't be read. */
export async function readControl(log: LogView, job: string): Promise<ControlState> {
  return foldControl(await readEvents(log, job))
}

/** Oldest first. LOG_CORRUPT for one that can't be read. */
export async function readEvents(log: LogView, job: string): Promise<ControlEvent[]> {
  const topic = controlTopic(job)
  if (log.topic(topic) === undefined) return []
  const { start, end } = log.bounds(topic, 0)
  const events: ControlEvent[] = []
  for await (const record of readRecords(log, topic, 0, start, end)) events.push(parse(record.value, topic, record.offset))
  return events
}

/**
 * Appends one event, durable when it resolves. VERSION_STATE when it does not go with what was decided before; nothing is written then.
 * COMMIT_CONFLICT when somebody else decided something since `after` was read, or a producer of `others` stands elsewhere.
 */
export async function decide(
  log: Log,
  job: string,
  after: ControlState,
  event: ControlEvent,
  others: NonNullable<Commit['others']> = [],
): Promise<ControlState> {
  const checked = controlEvent.parse(event)
  const reason = refusalOf(after, checked)
  if (reason !== undefined) throw new StreamError('VERSION_STATE', { job, event: event.type, reason }, { fix: `reprise versions ${job}` })
  const topic = controlTopic(job)
  await log.createTopic({ name: topic, partitions: 1, kind: 'internal' })
  const producer = await log.producer(topic)
  const builder = new BlockBuilder()
  builder.add({ key: null, value: Buffer.from(JSON.stringify(checked)), eventTime: event.at })
  await producer.commit({
    expect: controlEnd(after),
    others,
    next: { seq: after.events + 1, hash: '' },
    appends: [{ topic, partition: 0, block: builder.finish() }],
  })
  return applyEvent(after, checked)
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
