import { z } from 'zod'
import { KitVersion } from '../../../deploy/testing/kit-version.ts'
import { ManualClock } from '../../../deploy/testing/manual-clock.ts'
import { BlockBuilder } from '../../../engine/block/block-builder.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'
import type { Topology } from '../../../engine/model/topology.ts'
import { NextChange } from '../../../engine/runtime/next-change.ts'
import { defaultRuntimeSettings } from '../../../engine/runtime/settings.ts'
import type { Orders } from '../../../engine/runtime/steering.ts'
import { defineJob, topic } from '../../../index.ts'

const copying = defineJob('steered', (builder) => {
  builder.from(topic('in', { value: z.object({ n: z.number() }) })).to(topic('out', { value: z.object({ n: z.number() }) }))
})

/** A version that does what it was told last. Its job gives one record of `out` for each of `in`, unless it is told otherwise. */
export async function steeredVersion(first: Orders, job: Topology = copying, { partitions = 1 } = {}) {
  const clock = new ManualClock(1_000_000)
  const log = new MemoryLog({ clock })
  await log.createTopic({ name: 'in', partitions, kind: 'stream' })
  const feeder = await log.producer('feeder')
  const told = new NextChange()
  const steered = { orders: first, waits: 0 }
  const onChange = (wake: () => void) => {
    steered.waits++
    return told.onChange(wake)
  }
  /** Lets everything go on that waits. */
  const turn = async () => {
    await clock.yield()
    clock.wakeAll()
  }
  const version = new KitVersion(1, job, {
    log,
    clock,
    parallelism: 1,
    settings: defaultRuntimeSettings,
    memoryBytesMax: 64 << 20,
    steering: () => ({ orders: () => steered.orders, onChange }),
    stirred: () => {},
  })
  return {
    version,
    log,
    clock,
    steer(orders: Orders) {
      steered.orders = orders
      told.tell()
    },
    async send(seq: number, { partition = 0, n = seq } = {}) {
      const block = new BlockBuilder()
      block.add({ key: null, value: Buffer.from(`{"n":${n}}`), eventTime: 0 })
      const appends = [{ topic: 'in', partition, block: block.finish() }]
      await feeder.commit({ expect: { seq, hash: '' }, next: { seq: seq + 1, hash: '' }, appends })
    },
    async published() {
      for (let turns = 0; turns < 30; turns++) await turn()
      return log.bounds('out', 0).end
    },
    /** Until it has waited so many times in all. */
    async waited(count: number) {
      while (steered.waits < count) await turn()
    },
    async stop() {
      version.running!.stop.abort()
      await version.running!.done
    },
  }
}
