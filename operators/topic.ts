import type { $ZodType, output } from 'zod/v4/core'
import type { Codec } from '../engine/codec/codec.ts'
import { json } from '../engine/codec/json.ts'
import { StreamError } from '../engine/errors.ts'
import type { EpochMs, Key } from '../engine/model/record.ts'
import type { TopicDefinition } from '../engine/model/topology.ts'
import { type Duration, durationMs } from './duration.ts'

/**
 * A topic as jobs declare it. `T`: what is read from it; `I`: what may be written to it.
 * The two are apart so that `.to(topic)` refuses a row that lacks a field, and `.from(topic)` gives no more than the schema says.
 */
export interface Topic<out T, in I = T> {
  readonly definition: TopicDefinition
  /** Never set: carry the types. */
  readonly valueType?: T
  readonly inputType?: (value: I) => void
}

export interface TopicSettings<T> {
  /** `table`: the latest value by key counts, null takes it away. Default `stream`. */
  readonly kind?: 'stream' | 'table'
  /** Key of a record written to it; it chooses the partition. Absent: the key of the record at hand. */
  readonly key?: (value: T) => Key | null
  /** When it happened, in epoch ms. Absent: the event time the record was written with. */
  readonly eventTime?: (value: T) => EpochMs
  /** How far event times may fall behind the highest one seen in a partition and still be on time. Default 0. */
  readonly outOfOrderness?: Duration
  /** A partition without records for so long stops holding time back. Default 1m; `never` for none. */
  readonly idleAfter?: Duration | 'never'
  /** An event time further than this ahead of its append time is a bad record. Default 1h. */
  readonly maxFuture?: Duration
  /** Partitions to create it with. Default: sources 1, outputs as many as the job's sources. */
  readonly partitions?: number
}

/** A topic of JSON records with this schema. Errors: JOB_INVALID. */
export function topic<S extends $ZodType>(name: string, settings: { readonly value: S } & TopicSettings<output<S>>): Topic<output<S>, output<S>>
/** A topic with a codec of its own: `string()`, `bytes()`. */
export function topic<T>(name: string, settings: { readonly codec: Codec<T> } & TopicSettings<T>): Topic<T, T>
export function topic(name: string, settings: ({ readonly value: $ZodType } | { readonly codec: Codec<unknown> }) & TopicSettings<unknown>): Topic<unknown, unknown> {
  checkName(name)
  const { kind = 'stream', key, eventTime, outOfOrderness = 0, idleAfter = '1m', maxFuture = '1h', partitions } = settings
  if (partitions !== undefined && !(Number.isInteger(partitions) && partitions > 0 && partitions <= 1024)) {
    throw new StreamError('JOB_INVALID', { topic: name, partitions, reason: 'partitions must be a whole number from 1 to 1024' })
  }
  return {
    definition: {
      name,
      kind,
      codec: 'value' in settings ? (json(settings.value) as Codec<unknown>) : settings.codec,
      key,
      eventTime,
      outOfOrdernessMs: durationMs(outOfOrderness, `outOfOrderness of topic ${name}`, 0),
      idleAfterMs: idleAfter === 'never' ? undefined : durationMs(idleAfter, `idleAfter of topic ${name}`),
      maxFutureMs: durationMs(maxFuture, `maxFuture of topic ${name}`, 0),
      partitions,
    },
  }
}

function checkName(name: string): void {
  const fix = 'use 1 to 249 letters, digits, dots, dashes and underscores; names with .v and digits are the versions\' own'
  if (!/^[a-zA-Z0-9._-]{1,249}$/.test(name) || name === '.' || name === '..') throw new StreamError('TOPIC_NAME_INVALID', { topic: name }, { fix })
  if (/\.v\d+($|\.)/.test(name)) throw new StreamError('TOPIC_NAME_INVALID', { topic: name, reason: 'kept for private topics of versions' }, { fix })
}
