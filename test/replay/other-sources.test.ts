import { expect, test } from 'vitest'
import { z } from 'zod'
import { defineJob, topic } from '../../index.ts'
import { VersionsWorld } from './versions-world.ts'

const value = z.object({ from: z.string(), n: z.number() })
const sources = { a: topic('a', { value }), b: topic('b', { value }) }
const out = topic('out', { value })

function reading(...names: (keyof typeof sources)[]) {
  return defineJob('mix', (job) => {
    for (const name of names) job.from(sources[name]).to(out)
  })
}

test('a topic that only one of two versions reads holds neither back, and they take turns all the same', async () => {
  const world = new VersionsWorld('mix', ['out'], { sliceRecordsMax: 3 })
  await world.createSources({ a: 1, b: 2 })
  const sent = { a: 0, b: 0 }
  const send = async (from: keyof typeof sent, count: number) => {
    for (let i = 0; i < count; i++) {
      const n = sent[from]++
      await world.send(from, from === 'b' ? n % 2 : 0, [{ from, n }])
    }
  }
  const published = async () => ((await world.values('out')) as { from: string; n: number }[]).map(({ from, n }) => `${from}${n}`).sort()
  const privately = async () => (await world.values('mix.v2.private.out')).length
  const expected: string[] = []
  const expects = (from: string, first: number, last: number) => {
    for (let n = first; n <= last; n++) expected.push(`${from}${n}`)
  }
  await send('b', 20)
  await world.deploy(1, reading('a'))
  await send('a', 10)
  await world.deploy(2, reading('a', 'b'))
  await world.settle()
  expect(await privately()).toBe(30)
  expect(await world.cutOver(2)).toBe(true)
  await send('a', 5)
  await send('b', 4)
  await world.settle()
  expects('a', 0, 14)
  expects('b', 20, 23)
  expect(await published()).toEqual([...expected].sort())
  // The way back: what only the new version reads is not public any more, nothing else is missing or there twice.
  expect(await world.cutOver(1)).toBe(true)
  await send('b', 6)
  await send('a', 5)
  await world.settle()
  expects('a', 15, 19)
  expect(await published()).toEqual([...expected].sort())
  await world.close()
})
