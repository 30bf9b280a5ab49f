import type { BlockView } from '../block/block-view.ts'
import type { BadRecord } from '../codec/codec.ts'
import { StreamError } from '../errors.ts'
import type { EpochMs } from '../model/record.ts'
import type { TopicDefinition } from '../model/topology.ts'
import type { RunDecoder } from './decoded-run.ts'

/** Records of a topic as its definition reads them: value by its codec, event time by its function or as written. */
export function sourceDecoder(topic: TopicDefinition): RunDecoder {
  return (block, first, count) => {
    const values: unknown[] = new Array(count)
    let bad = decodeValues(topic, block, first, count, values)
    const times = new Float64Array(count)
    const { eventTime, maxFutureMs } = topic
    for (let i = 0; i < count; i++) {
      const value = values[i]
      if (value === undefined && bad?.has(i)) {
        times[i] = Number.NEGATIVE_INFINITY
        continue
      }
      // A tombstone has no fields to read a time from: it has the time it was written with.
      const time = eventTime === undefined || value === null ? block.eventTime(first + i) : timeOf(eventTime, value)
      const appendTime = block.appendTimeOf(first + i)
      if (time <= appendTime + maxFutureMs && time >= -8.64e15) {
        times[i] = time
        continue
      }
      times[i] = Number.NEGATIVE_INFINITY
      values[i] = undefined
      bad ??= new Map()
      bad.set(i, badTime(time, appendTime, maxFutureMs))
    }
    return { block, first, firstOffset: block.baseOffset + first, count, values, times, bad, taken: 0 }
  }
}

function decodeValues(topic: TopicDefinition, block: BlockView, first: number, count: number, values: unknown[]) {
  const { bytes, view, u32 } = block.chunk
  const { codec } = topic
  if (!block.hasNulls)
    return shift(codec.decode(bytes, view, block.valuesAt, u32, block.valueEndsAt, first, first + count, values, 0), first)
  let bad: Map<number, BadRecord> | undefined
  for (let i = 0; i < count; i++) {
    if (block.valueIsNull(first + i)) {
      values[i] = null
      if (topic.kind === 'stream')
        (bad ??= new Map()).set(i, { code: 'RECORD_MALFORMED', path: '$', message: 'no value: tombstones are for tables' })
      if (topic.kind === 'stream') values[i] = undefined
      continue
    }
    const one = codec.decode(bytes, view, block.valuesAt, u32, block.valueEndsAt, first + i, first + i + 1, values, i)
    for (const fault of one?.values() ?? []) (bad ??= new Map()).set(i, fault)
  }
  return bad
}

/** The codec names bad records by their place in the block, a run by their place in the run. */
function shift(bad: Map<number, BadRecord> | undefined, first: number): Map<number, BadRecord> | undefined {
  if (bad === undefined || first === 0) return bad
  return new Map([...bad].map(([i, fault]) => [i - first, fault]))
}

function timeOf(eventTime: (value: unknown) => EpochMs, value: unknown): number {
  try {
    const time: unknown = eventTime(value)
    return typeof time === 'number' ? time : Number.NaN
  } catch (error) {
    if (error instanceof StreamError) throw error
    return Number.NaN
  }
}

function badTime(time: number, appendTime: EpochMs, maxFutureMs: number): BadRecord {
  if (Number.isFinite(time) && time > appendTime) {
    return {
      code: 'RECORD_IN_FUTURE',
      path: '$',
      message: `event time ${time} is ${time - appendTime} ms ahead of its append time, at most ${maxFutureMs} are allowed (maxFuture)`,
    }
  }
  return { code: 'EVENT_TIME_INVALID', path: '$', message: `eventTime gave ${String(time)}` }
}
