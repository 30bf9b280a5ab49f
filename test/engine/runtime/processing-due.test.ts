import { expect, test } from 'vitest'
import { z } from 'zod'
import { count, defineJob, topic, tumbling } from '../../../index.ts'
import { TestKit } from '../../../testing.ts'

const input = topic('input', { value: z.object({ key: z.string() }), key: ({ key }) => key, partitions: 2 })
const out = topic('out', { value: z.object({ key: z.string(), n: z.number() }) })
const again = topic('again', { value: z.object({ n: z.number(), keys: z.number() }) })

/** Two windows by the clock, one behind the other. */
const job = defineJob('clocked', (builder) => {
  const counted = builder
    .from(input)
    .keyBy('by-key', ({ key }) => key)
    .window('by-key-counts', tumbling('10s', { time: 'processing' }))
    .aggregate({ n: count() })
    .map((row, window) => ({ key: String(window.key), n: row.n }))
  counted.to(out)
  counted
    .keyBy('by-count', ({ n }) => n)
    .window('counts', tumbling('10s', { time: 'processing' }))
    .aggregate({ keys: count() })
    .map((row, window) => ({ n: Number(window.key), keys: row.keys }))
    .to(again)
})

test.each([1, 2, 3])(
  'windows by the clock fire while nothing comes, also behind exchanges, parallelism %i',
  { timeout: 20_000 },
  async (parallelism) => {
    const kit = await TestKit.start(job, { parallelism })
    await kit.send(input, [{ key: 'a' }, { key: 'b' }, { key: 'a' }, { key: 'c' }])
    expect(await kit.output(out)).toEqual([])
    await kit.advanceTime(11_000)
    const rows = (await kit.output(out)).map(({ value }) => value!).sort((a, b) => (a.key < b.key ? -1 : 1))
    expect(rows).toEqual([
      { key: 'a', n: 2 },
      { key: 'b', n: 1 },
      { key: 'c', n: 1 },
    ])
    await kit.advanceTime(30_000)
    const counts = (await kit.output(again)).map(({ value }) => value!).sort((a, b) => a.n - b.n)
    expect(counts).toEqual([
      { n: 1, keys: 2 },
      { n: 2, keys: 1 },
    ])
  },
)
