import type { BlockBuilder } from '../block/block-builder.ts'
import type { BlockView } from '../block/block-view.ts'
import { decodeValue, encodeValue, type MakeDate } from '../codec/value-codec.ts'
import type { EpochMs, Key } from '../model/record.ts'
import type { RunDecoder } from './decoded-run.ts'
import { writeKey } from './key-bytes.ts'
import type { Moment } from './operator.ts'

/**
 * Records of an exchange. First byte of a value: 0 a record, 1 a watermark.
 *
 *     record:    u8 0 | u8 key type | u8 retract | u8 length of topic | u32 partition | f64 stamp, append time, offset, rank | topic | value
 *     watermark: u8 1 | u8 idle | u16 0 | u32 upstream task | f64 watermark, processing time
 */
const recordHead = 40
const keyNone = 0
const keyText = 1
const keyNumber = 2

export interface ExchangeRecord {
  readonly kind: 'record'
  readonly key: Key | undefined
  readonly stamp: EpochMs
  readonly appendTime: EpochMs
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly rank: number
  readonly retract: boolean
  readonly value: unknown
}

export interface ExchangeWatermark {
  readonly kind: 'watermark'
  readonly task: number
  readonly idle: boolean
  readonly watermark: EpochMs
  readonly processing: EpochMs
}

/** Errors: STATE_VALUE_UNSUPPORTED; nothing is written then. */
export function writeExchangeRecord(builder: BlockBuilder, moment: Moment, value: unknown): void {
  const { key } = moment
  if (key !== undefined) writeKey(key, builder.keys)
  const out = builder.values
  const topic = Buffer.from(moment.topic)
  out.need(recordHead + topic.length)
  const { view, at } = out
  view.setUint8(at, 0)
  view.setUint8(at + 1, key === undefined ? keyNone : typeof key === 'string' ? keyText : keyNumber)
  view.setUint8(at + 2, moment.retract ? 1 : 0)
  view.setUint8(at + 3, topic.length)
  view.setUint32(at + 4, moment.partition, true)
  view.setFloat64(at + 8, moment.stamp, true)
  view.setFloat64(at + 16, moment.appendTime, true)
  view.setFloat64(at + 24, moment.offset, true)
  view.setFloat64(at + 32, moment.rank, true)
  out.at += recordHead
  out.bytes(topic)
  try {
    encodeValue(value, out)
  } catch (error) {
    builder.dropOpen()
    throw error
  }
  builder.endWith(moment.eventTime, moment.headers(), key === undefined, false)
}

export function writeExchangeWatermark(builder: BlockBuilder, mark: Omit<ExchangeWatermark, 'kind'>): void {
  const out = builder.values
  out.need(24)
  const { view, at } = out
  view.setUint8(at, 1)
  view.setUint8(at + 1, mark.idle ? 1 : 0)
  view.setUint16(at + 2, 0, true)
  view.setUint32(at + 4, mark.task, true)
  view.setFloat64(at + 8, mark.watermark, true)
  view.setFloat64(at + 16, mark.processing, true)
  out.at += 24
  builder.endWith(0, [], true, false)
}

/** Values are ExchangeRecords and ExchangeWatermarks. */
export const exchangeDecoder =
  (makeDate: MakeDate | undefined): RunDecoder =>
  (block, first, count) => {
    const values: unknown[] = new Array(count)
    const times = new Float64Array(count)
    for (let i = 0; i < count; i++) {
      values[i] = readOne(block, first + i, makeDate)
      times[i] = block.eventTime(first + i)
    }
    return { block, first, firstOffset: block.baseOffset + first, count, values, times, bad: undefined, taken: 0 }
  }

function readOne(block: BlockView, i: number, makeDate: MakeDate | undefined): ExchangeRecord | ExchangeWatermark {
  const bytes = block.value(i)!
  if (bytes[0] === 1) {
    return {
      kind: 'watermark',
      task: bytes.readUInt32LE(4),
      idle: bytes[1] === 1,
      watermark: bytes.readDoubleLE(8),
      processing: bytes.readDoubleLE(16),
    }
  }
  const keyType = bytes[1]
  const keyBytes = block.key(i)
  const text = keyBytes === null ? '' : keyBytes.utf8Slice()
  const topicEnd = recordHead + bytes[3]!
  return {
    kind: 'record',
    key: keyType === keyNone ? undefined : keyType === keyText ? text : Number(text),
    retract: bytes[2] === 1,
    partition: bytes.readUInt32LE(4),
    stamp: bytes.readDoubleLE(8),
    appendTime: bytes.readDoubleLE(16),
    offset: bytes.readDoubleLE(24),
    rank: bytes.readDoubleLE(32),
    topic: bytes.utf8Slice(recordHead, topicEnd),
    value: decodeValue(bytes, topicEnd, bytes.length, makeDate),
  }
}
