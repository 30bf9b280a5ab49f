import { expect, test } from 'vitest'
import { checkNoOutput, checkOutputs, unledWriter } from '../../deploy/output-owner.ts'
import { MemoryLog } from '../../engine/log/memory/memory-log.ts'
import { SimClock } from '../support/sim-clock.ts'

const led = [{ job: 'orders', writes: (topic: string) => topic === 'totals', seals: () => false }]

test('a job that can not be led writes what its versions have private topics for', async () => {
  const log = new MemoryLog({ clock: new SimClock() })
  for (const name of ['shop.v1.journal', 'shop.v1.private.sales', 'shop.v12.private.a.b', 'shopping.v1.private.visits'])
    await log.createTopic({ name, partitions: 1, kind: 'stream' })
  const { writes } = unledWriter(log, 'shop', 'damaged', led)
  expect(['sales', 'a.b', 'visits', 'new'].filter(writes)).toEqual(['sales', 'a.b'])
})

test('where none tells what it writes it may be all but the outputs of others', () => {
  const writers = [...led, unledWriter(new MemoryLog({ clock: new SimClock() }), 'shop', 'damaged', led)]
  const owned = { code: 'OUTPUT_OWNED', details: { topic: 'new', job: 'shop', reason: expect.stringContaining('damaged') } }
  expect(() => checkNoOutput('new', writers)).toThrow(expect.objectContaining(owned))
  expect(() => checkOutputs([{ name: 'new' }], 'orders', writers)).toThrow(expect.objectContaining(owned))
  checkOutputs([{ name: 'totals' }], 'orders', writers)
  checkOutputs([{ name: 'new' }], 'shop', writers)
})
