import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { ByteSink } from '../../engine/block/byte-sink.ts'
import type { StreamError } from '../../engine/errors.ts'
import { bytes, string, topic } from '../../index.ts'

const schema = z.object({ id: z.string() })

describe('a topic', () => {
  test('has the settings it was given, durations in milliseconds', () => {
    const { definition } = topic('shop.orders-1_x', {
      value: schema,
      kind: 'table',
      key: (order) => order.id,
      eventTime: () => 5,
      outOfOrderness: '90s',
      idleAfter: '2m',
      maxFuture: 250,
      partitions: 3,
    })
    expect(definition).toMatchObject({
      name: 'shop.orders-1_x',
      kind: 'table',
      outOfOrdernessMs: 90_000,
      idleAfterMs: 120_000,
      maxFutureMs: 250,
      partitions: 3,
    })
    expect(definition.key!({ id: 'a' })).toBe('a')
    expect(definition.eventTime!({})).toBe(5)
    expect(definition.codec.name).toBe('json')
  })

  test('has plain settings where nothing is said', () => {
    expect(topic('orders', { value: schema }).definition).toMatchObject({
      kind: 'stream',
      key: undefined,
      eventTime: undefined,
      outOfOrdernessMs: 0,
      idleAfterMs: 60_000,
      maxFutureMs: 3_600_000,
      partitions: undefined,
    })
    expect(topic('orders', { value: schema, idleAfter: 'never' }).definition.idleAfterMs).toBeUndefined()
  })

  test('says what the topic keeps where it is made', () => {
    expect(topic('orders', { value: schema }).definition.keep).toEqual({})
    const keep = { kind: 'table', retention: '7d', retentionBytes: 1e9, compact: true } as const
    expect(topic('orders', { value: schema, ...keep }).definition.keep).toEqual({
      retentionMs: 7 * 86_400_000,
      retentionBytes: 1e9,
      compacted: true,
    })
    expect(topic('orders', { value: schema, compact: false }).definition.keep).toEqual({})
  })

  test('takes codecs in place of a schema', () => {
    expect(topic('lines', { codec: string() }).definition.codec.name).toBe('string')
    expect(topic('blobs', { codec: bytes() }).definition.codec.name).toBe('bytes')
    const out = new ByteSink()
    topic('any', { codec: 'json' }).definition.codec.encode({ a: [1, null] }, out)
    expect(out.buf.toString('utf8', 0, out.at)).toBe('{"a":[1,null]}')
  })

  test.each(['', '.', '..', 'a b', 'ü', 'a/b', 'x'.repeat(250), 'orders.v2', 'orders.v2.journal', 'a.v10.b', 'x.v0'])(
    'refuses the name %j',
    (name) => {
      const error = errorOf(() => topic(name, { value: schema }))
      expect(error).toMatchObject({ code: 'TOPIC_NAME_INVALID', details: { topic: name } })
      expect(error.fix).toBeDefined()
    },
  )

  test.each(['v2', 'orders.v', 'orders.vx2', 'orders-v2', 'orders.v2x', 'ordersv.2', 'x'.repeat(249)])('takes the name %j', (name) => {
    expect(topic(name, { value: schema }).name).toBe(name)
  })

  test.each([
    ['partitions of 0', { value: schema, partitions: 0 }],
    ['partitions of 1.5', { value: schema, partitions: 1.5 }],
    ['more partitions than ranks have room for', { value: schema, partitions: 1025 }],
    ['a retention of nothing', { value: schema, retention: 0 }],
    ['a retention of half a byte', { value: schema, retentionBytes: 0.5 }],
    ['compaction of what is no table', { value: schema, compact: true }],
    ['no format', {}],
    ['nothing but a name', undefined],
    ['two formats', { value: schema, codec: string() }],
    ['a schema that is none', { value: { id: 'string' } }],
    ['an unknown codec', { codec: 'avro' }],
    ['an unknown kind', { value: schema, kind: 'queue' }],
    ['an unknown policy', { value: schema, onBad: 'ignore' }],
    ['a negative duration', { value: schema, outOfOrderness: -1 }],
    ['a duration without a unit', { value: schema, idleAfter: '5' }],
    ['a key that is no function', { value: schema, key: 'id' }],
    ['an event time that is no function', { value: schema, eventTime: 'at' }],
  ])('refuses %s and says what to write', (_, options) => {
    const error = errorOf(() => topic('orders', options as never))
    expect(error.code).toBe('JOB_INVALID')
    expect(error.details.reason).toBeDefined()
    expect(error.fix).toBeDefined()
  })
})

function errorOf(run: () => unknown): StreamError {
  try {
    run()
  } catch (error) {
    return error as StreamError
  }
  throw new Error('nothing was thrown')
}
