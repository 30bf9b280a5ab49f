import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { KitVersion } from '../../../deploy/testing/kit-version.ts'
import { ManualClock } from '../../../deploy/testing/manual-clock.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'
import { defaultRuntimeSettings } from '../../../engine/runtime/settings.ts'
import { defineJob, topic } from '../../../index.ts'
import { VersionBoard } from '../../../replay/version-board.ts'

const job = defineJob('patient', (builder) => {
  builder.from(topic('in', { value: z.object({ n: z.number() }) })).to(topic('out', { value: z.object({ n: z.number() }) }))
})

const waits = 20_000

/** A wait that left as much as a closure behind would leave megabytes. */
const leftBytesMax = 1 << 20

test('a job that has waited ten thousands of times holds no more memory than before', { timeout: 60_000 }, async () => {
  const clock = new ManualClock(1_000_000)
  const log = new MemoryLog({ clock })
  await log.createTopic({ name: 'in', partitions: 1, kind: 'stream' })
  let waited = 0
  const board = new VersionBoard()
  const version = new KitVersion(1, job, {
    log,
    clock,
    parallelism: 1,
    settings: defaultRuntimeSettings,
    memoryBytesMax: 64 << 20,
    steering: () => {
      const steering = board.steering(1)
      return {
        ...steering,
        onChange: (wake) => {
          waited++
          return steering.onChange(wake)
        },
      }
    },
    stirred: () => {},
  })
  void version.run('stopped')
  const waitUntil = async (count: number) => {
    while (waited < count) {
      await clock.yield()
      clock.wakeAll()
    }
    return heapBytes()
  }
  const before = await waitUntil(waits / 10)
  expect((await waitUntil(waits)) - before).toBeLessThan(leftBytesMax)
  version.running!.stop.abort()
  await version.running!.done
  await log.close()
})

/** Of what is in use, everything else collected. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  return process.memoryUsage().heapUsed
}
