import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { json } from '../../../../engine/codec/json.ts'
import { decodeTexts } from '../support.ts'

const schema = z.object({ a: z.number(), b: z.string().optional() })
const spellings = [
  '{"a":1,"b":"x"}',
  '{"b":"x","a":1}',
  '{"a": 1}',
  '{"x":{},"a":1}',
  '{"a":1,"\\u0079":[]}',
  '{"y":null,"a":1,"b":"x"}',
] as const
const times = (n: number, text: string) => Array.from({ length: n }, () => text)

describe('learning key orders', () => {
  test('an order is compiled when it is seen for the second time', () => {
    const codec = json(schema)
    decodeTexts(codec, times(10, spellings[0]))
    expect(codec.counts).toEqual({ learnedOrder: 8, anyOrder: 2, zod: 0, ordersLearned: 1 })
  })

  test('four orders are decoded side by side, also when they alternate', () => {
    const codec = json(schema)
    const texts = Array.from({ length: 400 }, (_, i) => spellings[i % 4] as string)
    expect(decodeTexts(codec, texts).every(({ value }) => (value as { a: number }).a === 1)).toBe(true)
    expect(codec.counts).toEqual({ learnedOrder: 392, anyOrder: 8, zod: 0, ordersLearned: 4 })
  })

  test('when the input changes, new orders take the place of those no longer seen', () => {
    const codec = json(schema)
    decodeTexts(
      codec,
      spellings.slice(0, 4).flatMap((text) => times(100, text)),
    )
    const before = codec.counts.learnedOrder
    decodeTexts(codec, times(1000, spellings[5]))
    expect(codec.counts.learnedOrder - before).toBeGreaterThan(900)
    expect(codec.counts.ordersLearned).toBe(4)
  })

  test('keys written with escapes are learned too', () => {
    const codec = json(schema)
    decodeTexts(codec, times(10, spellings[4]))
    expect(codec.counts).toMatchObject({ learnedOrder: 8, zod: 2 })
  })

  test('ever new orders do not make ever more code', () => {
    const codec = json(schema)
    const texts = Array.from({ length: 3000 }, (_, i) => `{"a":${i},"k${i >> 1}":0}`)
    decodeTexts(codec, texts)
    expect(codec.counts.ordersLearned).toBe(4)
    expect(codec.counts.anyOrder).toBeGreaterThan(2900)
  })

  test('repeated keys are not learned', () => {
    const codec = json(schema)
    const values = decodeTexts(codec, times(6, '{"a":1,"a":2}')).map(({ value }) => value)
    expect(values).toEqual(Array.from({ length: 6 }, () => ({ a: 2 })))
    expect(codec.counts).toEqual({ learnedOrder: 0, anyOrder: 0, zod: 6, ordersLearned: 0 })
  })

  test('values of other kinds than those learned from are decoded all the same', () => {
    const codec = json(z.object({ a: z.number().nullable() }))
    decodeTexts(codec, times(3, '{"skip":1,"a":1}'))
    const before = codec.counts.learnedOrder
    const texts = [
      '{"skip":"x","a":2.5}',
      '{"skip":null,"a":null}',
      '{"skip":{"a":[1]},"a":-7}',
      '{"skip":123456789.5,"a":1e3}',
      '{"skip":-1,"a":12345678901234567890}',
    ]
    expect(decodeTexts(codec, texts).map(({ value }) => (value as { a: number }).a)).toEqual([2.5, null, -7, 1000, 12345678901234567000])
    expect(codec.counts.learnedOrder - before).toBe(texts.length)
  })
})
