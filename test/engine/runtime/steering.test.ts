import { expect, test } from 'vitest'
import { z } from 'zod'
import { KitVersion } from '../../../deploy/testing/kit-version.ts'
import { ManualClock } from '../../../deploy/testing/manual-clock.ts'
import { BlockBuilder } from '../../../engine/block/block-builder.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'
import { NextChange } from '../../../engine/runtime/next-change.ts'
import { defaultRuntimeSettings } from '../../../engine/runtime/settings.ts'
import type { Orders } from '../../../engine/runtime/steering.ts'
import { defineJob, topic } from '../../../index.ts'

const job = defineJob('steered', (builder) => {
  builder.from(topic('in', { value: z.object({ n: z.number() }) })).to(topic('out', { value: z.object({ n: z.number() }) }))
})

/** A version that does what it was told last. */
async function steeredVersion(first: Orders) {
  const clock = new ManualClock(1_000_000)
  const log = new MemoryLog({ clock })
  await log.createTopic({ name: 'in', partitions: 1, kind: 'stream' })
  const feeder = await log.producer('feeder')
  const told = new NextChange()
  const steered = { orders: first }
  const version = new KitVersion(1, job, {
    log,
    clock,
    parallelism: 1,
    settings: defaultRuntimeSettings,
    memoryBytesMax: 64 << 20,
    steering: () => ({ orders: () => steered.orders, onChange: (wake) => told.onChange(wake) }),
    stirred: () => {},
  })
  return {
    version,
    log,
    steer(orders: Orders) {
      steered.orders = orders
      told.tell()
    },
    async send(seq: number) {
      const block = new BlockBuilder()
      block.add({ key: null, value: Buffer.from(`{"n":${seq}}`), eventTime: 0 })
      const appends = [{ topic: 'in', partition: 0, block: block.finish() }]
      await feeder.commit({ expect: { seq, hash: '' }, next: { seq: seq + 1, hash: '' }, appends })
    },
    async published() {
      for (let turn = 0; turn < 30; turn++) {
        await clock.yield()
        clock.wakeAll()
      }
      return log.bounds('out', 0).end
    },
    async stop() {
      version.running!.stop.abort()
      await version.running!.done
    },
  }
}

test('a life that knows nothing of what was decided does nothing until it knows who publishes', async () => {
  const { version, log, steer, send, published, stop } = await steeredVersion({ control: 0, publishes: false })
  void version.run('stopped')
  await send(0)
  expect(await published()).toBe(0)
  steer({ control: 1, publishes: true })
  expect(await published()).toBe(1)
  await stop()
  await log.close()
})

test('a life that knows less of what was decided than the one before does nothing until it knows as much', async () => {
  const { version, log, steer, send, published, stop } = await steeredVersion({ control: 5, publishes: true })
  void version.run('stopped')
  await send(0)
  expect(await published()).toBe(1)
  await stop()

  steer({ control: 4, publishes: true })
  void version.run('stopped')
  await send(1)
  expect(await published()).toBe(1)
  steer({ control: 5, publishes: true })
  expect(await published()).toBe(2)
  await stop()
  await log.close()
})
