import * as z from 'zod'
import type { $ZodType, output } from 'zod/v4/core'
import type { Codec } from '../engine/codec/codec.ts'
import { json } from '../engine/codec/json.ts'
import type { EpochMs, Key } from '../engine/model/record.ts'
import type { BadRecordPolicy, TopicDefinition } from '../engine/model/topology.ts'
import { type Duration, durationMs } from './duration.ts'
import { invalid } from './invalid.ts'
import { checkTopicName } from './topic-name.ts'

export type TopicKind = 'stream' | 'table'

/**
 * A topic as a job declares it; used for reading and for writing.
 * T: what is read from it. I: what may be written to it; contravariant, so that a row that lacks a field is refused. A table takes null (a tombstone).
 */
export interface Topic<out T, in I = T, out Kind extends TopicKind = TopicKind> {
  readonly name: string
  readonly kind: Kind
  readonly definition: TopicDefinition
  /** Policy of the sources that read it, where they have none of their own. */
  readonly onBad: BadRecordPolicy | undefined
  /** For the compiler only; never there. */
  readonly valueType?: T
  /** For the compiler only; never there. */
  readonly accepts?: (value: I) => void
}

export interface TopicOptions<T, Kind extends TopicKind = 'stream'> {
  /** `table`: the last record of each key counts, a tombstone deletes it; the log may compact it. Default `stream`. */
  readonly kind?: Kind
  /** Key of a record that is written; without it, and for a tombstone of a table: the key of the record at hand. null: no key. */
  readonly key?: (value: T) => Key | null
  /** When it happened, in epoch ms; without it: the time the record was written with. */
  readonly eventTime?: (value: T) => EpochMs
  /** How far behind the latest record of its partition a record may come without being late. Default 0. */
  readonly outOfOrderness?: Duration
  /** A partition without data for so long holds time back no more. Default 1m. */
  readonly idleAfter?: Duration | 'never'
  /** An event time so far ahead of its append time is a bad record. Default 1h. */
  readonly maxFuture?: Duration
  /** Partitions to make the topic with, where it does not exist. Default: sources 1, outputs as many as the job's sources. */
  readonly partitions?: number
  /** Records older than this (since they were written) may go, but none that a version still needs. Where the topic does not exist; later: `reprise topics set`. Default: none go. */
  readonly retention?: Duration
  /** The oldest records may go while a partition has more bytes than this, in the same way. */
  readonly retentionBytes?: number
  /** Of a table: older values of a key may go, in the same way. */
  readonly compact?: boolean
  /** What becomes of records that can't be read. Default: what the job says, else `fail`. */
  readonly onBad?: BadRecordPolicy
}

/** What may be written: a table also takes null. */
type Writable<T, Kind> = Kind extends 'table' ? T | null : T

/**
 * Declares a topic. Pure: nothing is made or opened.
 * `value`: a zod schema, of JSON records. `codec`: another form of records: `string()`, `bytes()`, one of your own, or `'json'` (JSON without a schema).
 * Errors: TOPIC_NAME_INVALID, JOB_INVALID (details: topic, reason).
 */
export function topic<T = unknown, Kind extends TopicKind = 'stream'>(
  name: string,
  options: { readonly codec: Codec<T> | 'json' } & TopicOptions<T, Kind>,
): Topic<T, Writable<T, Kind>, Kind>
// Last, since the compiler explains a call that fits neither by the last one: most topics have a schema.
export function topic<S extends $ZodType, Kind extends TopicKind = 'stream'>(
  name: string,
  options: { readonly value: S } & TopicOptions<output<S>, Kind>,
): Topic<output<S>, Writable<output<S>, Kind>, Kind>
export function topic(
  name: string,
  options: { readonly value?: $ZodType; readonly codec?: Codec<unknown> | 'json' } & TopicOptions<unknown, TopicKind> = {},
): Topic<unknown, unknown> {
  checkTopicName(name)
  const { kind = 'stream', key, eventTime, outOfOrderness = 0, idleAfter = '1m', maxFuture = '1h' } = options
  if (kind !== 'stream' && kind !== 'table') {
    throw invalid({ topic: name, kind: String(kind) }, 'there is no such kind of topic', "write kind: 'stream' or kind: 'table'")
  }
  checkFunction(name, 'key', key)
  checkFunction(name, 'eventTime', eventTime)
  const definition: TopicDefinition = {
    name,
    kind,
    codec: codecOf(name, options.value, options.codec),
    key,
    eventTime,
    outOfOrdernessMs: durationMs(outOfOrderness, `outOfOrderness of topic ${name}`, 0),
    idleAfterMs: idleAfter === 'never' ? undefined : durationMs(idleAfter, `idleAfter of topic ${name}`),
    maxFutureMs: durationMs(maxFuture, `maxFuture of topic ${name}`, 0),
    partitions: partitionsOf(name, options.partitions),
    keep: keepOf(name, kind, options),
  }
  return { name, kind, definition, onBad: checkPolicy({ topic: name }, options.onBad) }
}

/** JOB_INVALID when it is not one of the three policies. */
export function checkPolicy(place: Record<string, string>, policy: BadRecordPolicy | undefined): BadRecordPolicy | undefined {
  if (policy === undefined || policy === 'fail' || policy === 'skip' || policy === 'deadLetter') return policy
  throw invalid({ ...place, onBad: String(policy) }, 'there is no such policy', "write onBad: 'fail', 'skip' or 'deadLetter'")
}

function codecOf(name: string, schema: unknown, codec: unknown): Codec<unknown> {
  if (codec === undefined && typeof schema === 'object' && schema !== null && '_zod' in schema) return json(schema as $ZodType)
  if (schema === undefined && codec === 'json') return json(z.unknown())
  if (schema === undefined && typeof codec === 'object' && codec !== null && 'decode' in codec && 'encode' in codec) {
    return codec as Codec<unknown>
  }
  throw invalid(
    { topic: name, value: schema === undefined ? undefined : typeof schema, codec: codec === undefined ? undefined : typeof codec },
    'it is not said how its records are read',
    "give either a zod 4 schema, value: z.object({ ... }), or a codec: 'json', string(), bytes() or one of your own",
  )
}

function partitionsOf(name: string, partitions: number | undefined): number | undefined {
  // Ranks hold ten bits of partition.
  if (partitions === undefined || (Number.isInteger(partitions) && partitions >= 1 && partitions <= 1024)) return partitions
  throw invalid({ topic: name, partitions: String(partitions) }, 'a topic has 1 to 1024 partitions', 'write a whole number from 1 to 1024')
}

function keepOf(
  name: string,
  kind: TopicKind,
  { retention, retentionBytes, compact }: TopicOptions<unknown, TopicKind>,
): TopicDefinition['keep'] {
  if (retentionBytes !== undefined && !(Number.isSafeInteger(retentionBytes) && retentionBytes >= 1))
    throw invalid({ topic: name, retentionBytes: String(retentionBytes) }, 'that is no number of bytes', 'write a whole number from 1')
  if (compact !== undefined && (typeof compact !== 'boolean' || (compact && kind !== 'table')))
    throw invalid({ topic: name, compact: String(compact), kind }, 'a table can be compacted, or not', "write kind: 'table', compact: true")
  return {
    ...(retention === undefined ? {} : { retentionMs: durationMs(retention, `retention of topic ${name}`) }),
    ...(retentionBytes === undefined ? {} : { retentionBytes }),
    ...(compact === true ? { compacted: true } : {}),
  }
}

function checkFunction(name: string, option: string, given: unknown): void {
  if (given === undefined || typeof given === 'function') return
  throw invalid({ topic: name, [option]: String(given) }, `${option} must be a function of the value`, `write ${option}: (value) => ...`)
}
