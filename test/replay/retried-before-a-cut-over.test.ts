import { expect, test } from 'vitest'
import { z } from 'zod'
import { BlockBuilder } from '../../engine/block/block-builder.ts'
import { jobTopics } from '../../engine/runtime/plan.ts'
import { headerNames } from '../../engine/task/reports.ts'
import { defineJob, topic } from '../../index.ts'
import { applyEvent, foldControl } from '../../replay/control-state.ts'
import { ordersOf } from '../../replay/orders.ts'
import { VersionsWorld } from './versions-world.ts'

const orders = topic('orders', { value: z.object({ id: z.number() }) })
const copies = topic('copies', { value: z.object({ id: z.number() }) })
const copying = defineJob('copying', (job) => job.from(orders).to(copies))

const retries = 20

/** Appends what a retry would. */
async function retry(world: VersionsWorld, version: number): Promise<void> {
  const builder = new BlockBuilder()
  const header = (name: string, text: string) => ({ name, value: Buffer.from(text) })
  for (let id = 0; id < retries; id++) {
    const headers = [header(headerNames.topic, 'orders'), header(headerNames.partition, '0'), header(headerNames.offset, String(id))]
    builder.add({ key: null, value: Buffer.from(JSON.stringify({ id })), eventTime: 0, headers })
  }
  await world.append(jobTopics('copying', version).retry, 0, builder.finish())
}

test('what was retried before a cut-over is published by the version that published then, all of it', async () => {
  const world = new VersionsWorld('copying', ['copies'], { sliceRecordsMax: 1 })
  await world.createSources({ orders: 1 })
  await world.deploy(1, copying)
  await world.deploy(2, copying)
  await world.settle()
  await retry(world, 1)
  expect(await world.cutOver(2)).toBe(true)
  await world.settle()
  expect((await world.values('copies')).map((row) => (row as { id: number }).id)).toEqual(Array.from({ length: retries }, (_, id) => id))
  expect(await world.values(jobTopics('copying', 1).privately('copies'))).toEqual([])
  await world.close()
})

test('one that takes nothing, or stopped, stands still with what was retried not taken', () => {
  const at = 0
  const registered = { type: 'registered', at, sha256: '', parallelism: 1, fingerprint: '' } as const
  const two = foldControl([
    { ...registered, version: 1 },
    { ...registered, version: 2 },
  ])
  const hold = { type: 'holdRequested', at, id: 'a', from: 1, to: 2 } as const
  const retriedOf = (control: typeof two) =>
    ordersOf(applyEvent(control, hold), { version: 1, owner: undefined, upstream: [] }).hold?.retried
  expect(retriedOf(two)).toBe(true)
  expect(retriedOf(applyEvent(two, { type: 'paused', at, version: 1 }))).toBe(false)
  expect(retriedOf(applyEvent(two, { type: 'stopped', at, version: 1, code: 'OPERATOR_THREW' }))).toBe(false)
})
