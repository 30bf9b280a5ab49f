import { BlockBuilder } from '../../../engine/block/block-builder.ts'
import { BlockView, blockFault } from '../../../engine/block/block-view.ts'
import type { LogRecord, NewRecord, Offset } from '../../../engine/model/record.ts'
import type { Append, Committed, Log, Producer, ProducerEnd } from '../../../engine/ports/log.ts'

export const newEnd: ProducerEnd = { seq: 0, hash: '' }

/** A record that can be told from all others by its number. */
export function record(n: number, key = `key-${n}`): NewRecord {
  return { key: Buffer.from(key), value: Buffer.from(`value-${n}`), eventTime: 1_700_000_000_000 + n }
}

export function numbers(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i)
}

/** Records numbered [from, to). */
export function records(from: number, to: number): NewRecord[] {
  return numbers(from, to).map((n) => record(n))
}

export function block(...content: readonly NewRecord[]): Uint8Array {
  const builder = new BlockBuilder()
  for (const one of content) builder.add(one)
  return builder.finish()
}

/** A block of one record, a little larger than `bytes`. */
export function largeBlock(bytes: number): Uint8Array {
  return block({ key: null, value: Buffer.alloc(bytes, 7), eventTime: 0 })
}

export function append(topic: string, partition: number, ...content: readonly NewRecord[]): Append {
  return { topic, partition, block: block(...content) }
}

/** Commits one after the other under one name; `end` is what the next commit builds on. */
export class Writer {
  readonly producer: Producer
  end: ProducerEnd

  constructor(producer: Producer) {
    this.producer = producer
    this.end = producer.end
  }

  static async open(log: Log, id = 'writer'): Promise<Writer> {
    return new Writer(await log.producer(id))
  }

  /** Sends without waiting, as if all sent before will be taken. */
  send(...appends: readonly Append[]): Promise<Committed> {
    const expect = this.end
    this.end = after(expect)
    return this.producer.commit({ expect, next: this.end, appends })
  }
}

export function after({ seq }: ProducerEnd): ProducerEnd {
  return { seq: seq + 1, hash: `hash-${seq + 1}` }
}

/** All records from `from` to the end. Asserts on the way what holds for every read. */
export async function readAll(log: Log, topic: string, partition = 0, from: Offset = 0, bytesMax = 1 << 20): Promise<LogRecord[]> {
  const found: LogRecord[] = []
  const reader = log.reader(topic, partition, from)
  for (;;) {
    const position = reader.position
    const { end } = log.bounds(topic, partition)
    const chunk = await reader.read(bytesMax)
    if (chunk === null) {
      if (reader.position < end) throw new Error(`position is ${reader.position} and nothing more to read, the end was ${end}`)
      break
    }
    let blocksEnd = 0
    let next = position
    for (const at of chunk.blocks) {
      const fault = blockFault(chunk.bytes, at, chunk.bytes.length)
      if (fault !== undefined) throw new Error(`block read from ${topic}/${partition} at ${position}: ${fault}`)
      const view = new BlockView(chunk, at)
      for (let i = 0; i < view.count; i++) if (view.baseOffset + i >= position) found.push(view.record(i))
      blocksEnd = Math.max(blocksEnd, at + view.length)
      next = view.endOffset
    }
    if (chunk.bytes.byteOffset % 8 !== 0) throw new Error('chunk is not aligned')
    if (chunk.bytes.length < blocksEnd + 16) throw new Error('chunk has no slack')
    if (reader.position !== next) throw new Error(`position is ${reader.position} after a block that ends at ${next}`)
    chunk.release()
  }
  await reader.close()
  return found
}

/** Values as text, in order. */
export async function valuesOf(log: Log, topic: string, partition = 0, from: Offset = 0): Promise<string[]> {
  return (await readAll(log, topic, partition, from)).map(({ value }) => Buffer.from(value!).toString())
}

export function values(from: number, to: number): string[] {
  return numbers(from, to).map((n) => `value-${n}`)
}

/** A record in a form that vitest compares and prints well. */
export function plain({ key, value, eventTime, headers = [] }: NewRecord) {
  const hex = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString('hex'))
  return { key: hex(key), value: hex(value), eventTime, headers: headers.map((header) => [header.name, hex(header.value)]) }
}

export async function streamTopic(log: Log, name = 'orders', partitions = 1): Promise<string> {
  await log.createTopic({ name, partitions, kind: 'stream' })
  return name
}
