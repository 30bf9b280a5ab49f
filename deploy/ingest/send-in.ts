import { createHash } from 'node:crypto'
import { StreamError } from '../../engine/errors.ts'
import type { NewRecord } from '../../engine/model/record.ts'
import type { Clock } from '../../engine/ports/world.ts'
import type { ApiClient } from '../client/api-client.ts'
import { standardInput } from './input-format.ts'
import { contentHash, type InputOptions } from './open-input.ts'
import { fieldReader, flushAfterMs, readThrough, recordsOf } from './take-in.ts'

/** Where records of one source go at a server. */
export interface SendTo {
  readonly client: ApiClient
  readonly topic: string
  /** Names the source at the server, for good. */
  readonly producer: string
  /** Fields of a record. */
  readonly key: string | undefined
  readonly time: string | undefined
  /** Of a topic that is not there yet. */
  readonly kind: 'stream' | 'table' | undefined
  readonly partitions: number | undefined
}

export interface SendInOptions extends Omit<InputOptions, 'stop' | 'onBytes'> {
  readonly to: SendTo
  readonly file: string
  readonly clock: Clock
  /** Told of records that are durable, and of the part of the file that was read; undefined where its size is not known. */
  readonly onTaken: (records: number, share: number | undefined) => void
}

interface Answer {
  readonly added: number
  readonly skipped: number
}

/**
 * The name of a source at a server: of a file its content's and that of the flags which say what its records are. Without the bad ones, read
 * in another way, they would have other numbers, and some would be passed over.
 */
export async function producerOf(file: string, sourceId: string | undefined, reading: readonly (string | undefined)[]): Promise<string> {
  if (sourceId !== undefined) return sourceId
  const content = await contentHash(file)
  if (reading.every((flag) => flag === undefined)) return content
  return createHash('sha256')
    .update(JSON.stringify([content, ...reading]))
    .digest('hex')
}

/** Makes sure that the topic is there and takes records. */
export async function openAtServer(to: SendTo): Promise<void> {
  await post(to, 0, [])
}

/**
 * Has a server take a file in, each record once: known by the producer and its number, so that the same again adds nothing and what was interrupted
 * goes on. Holds one batch. As takeIn does, it takes a file with a record that fails not at all, and what can be read only once up to that record.
 */
export async function sendIn({ to, file, clock, onTaken, onBad, ...input }: SendInOptions): Promise<Answer> {
  const read = fieldReader(to.key, to.time)
  const whole = await readThrough(file, read, { ...input, onBad })
  const stop = new AbortController()
  let bytesRead = 0
  const onBytes = (bytes: number) => {
    bytesRead = bytes
  }
  const records = recordsOf(file, read, { ...input, onBad, onBytes, stop: stop.signal })
  const done = { added: 0, skipped: 0 }
  try {
    for await (const batch of batches(records, file === standardInput ? clock : undefined)) {
      const { added, skipped } = await post(to, done.added + done.skipped, batch)
      done.added += added
      done.skipped += skipped
      onTaken(done.added + done.skipped, whole && bytesRead / whole.bytes)
    }
  } catch (error) {
    throw withTaken(error, file, done.added + done.skipped)
  } finally {
    // Standard input may be waited for still.
    stop.abort()
  }
  return done
}

const batchBytes = 1 << 20
/** What a record costs beside its bytes: a batch of the shortest ones is no more than a server takes at once. */
const recordBytes = 16

/** @param trickles what is there is given soon, although it is little. Where the source fails, all before has been given. */
async function* batches(records: AsyncIterable<NewRecord>, trickles: Clock | undefined): AsyncIterable<readonly Uint8Array[]> {
  const source = records[Symbol.asyncIterator]()
  let values: Uint8Array[] = []
  let bytes = 0
  let due: Promise<undefined> | undefined
  let next = source.next()
  for (;;) {
    let failure: { readonly error: unknown } | undefined
    const failed = (error: unknown) => {
      failure = { error }
      return undefined
    }
    const found = await (due === undefined ? next : Promise.race([next, due])).catch(failed)
    if (found !== undefined && !found.done) {
      // The source gives its bytes once.
      const value = Buffer.from(found.value.value!)
      values.push(value)
      bytes += value.length + recordBytes
      due ??= trickles?.sleep(flushAfterMs).then(() => undefined)
      next = source.next()
      // It is waited for only when this batch is through.
      next.catch(() => {})
      if (bytes < batchBytes) continue
    }
    if (values.length > 0) yield values
    if (failure !== undefined) throw failure.error
    if (found?.done) return
    values = []
    bytes = 0
    due = undefined
  }
}

/** An array is taken as a whole or not at all, each record with the bytes it has. */
async function post({ client, topic, producer, key, time, kind, partitions }: SendTo, sequence: number, values: readonly Uint8Array[]) {
  const wishes = { key, time, kind, partitions, producer, sequence }
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(wishes)) if (value !== undefined) query.set(name, String(value))
  const parts = values.flatMap((value, i) => [i === 0 ? opening : comma, value])
  const body = Buffer.concat([...(values.length === 0 ? [opening] : parts), closing])
  return client.postBytes<Answer>(`/api/v1/topics/${encodeURIComponent(topic)}/records?${query}`, body)
}

const [opening, comma, closing] = ['[', ',', ']'].map((text) => Buffer.from(text)) as [Buffer, Buffer, Buffer]

function withTaken(error: unknown, file: string, taken: number): unknown {
  if (!(error instanceof StreamError) || taken === 0) return error
  const { code, details, cause, fix } = error
  const again = `the same command again goes on: the ${taken} records that are in add nothing`
  return new StreamError(code, { file, ...details, taken }, { cause, fix: fix === undefined ? again : `${fix}; ${again}` })
}
