import { TestKit } from 'reprise/testing'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { SliceSize } from '../../../engine/runtime/slice-size.ts'
import { defineJob, max, topic, tumbling } from '../../../index.ts'

test('a slice is a quarter as large after a commit that was too large, down to one record', () => {
  const size = new SliceSize(100)
  const found = [size.records]
  while (size.shrink()) found.push(size.records)
  expect(found).toEqual([100, 25, 6, 1])
})

test('it grows again step by step, while commits are not too large', () => {
  const size = new SliceSize(100)
  size.shrink()
  const found = new Set<number>()
  for (let slices = 0; slices < 5000; slices++) {
    found.add(size.records)
    size.committed()
  }
  expect([...found]).toEqual([25, 50, 100])
})

const texts = topic('texts', { value: z.object({ n: z.number(), text: z.string() }), eventTime: ({ n }) => n })
const longest = topic('longest', { value: z.object({ text: z.string() }) })

const jobOf = (row: (text: string) => string) =>
  defineJob('longest', (builder) => {
    builder
      .from(texts)
      .keyBy('by-n', ({ n }) => n)
      .window('hourly', tumbling('1h'))
      .aggregate({ text: max(({ text }) => text) })
      .map(({ text }) => ({ text: row(text) }), { onBad: 'deadLetter' })
      .to(longest)
  })

const text = 'x'.repeat(8000)
const keys = 5000

test.each([
  ['results', (found: string) => found],
  [
    'dead letters',
    () => {
      throw new Error('no')
    },
  ],
])('%s of a window that are too large for one commit are committed in pieces', async (what, row) => {
  await using kit = await TestKit.start(jobOf(row))
  await kit.send(
    texts,
    Array.from({ length: keys }, (_, n) => ({ n, text })),
  )
  const { out, derived } = await kit.complete()
  expect([out.longest ?? 0, derived.deadLettered]).toEqual(what === 'results' ? [keys, 0] : [0, keys])
})
