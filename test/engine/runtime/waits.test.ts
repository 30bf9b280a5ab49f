import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { steeredVersion } from './steered-version.ts'

const waits = 20_000

/** A wait that left as much as a closure behind would leave megabytes. */
const leftBytesMax = 1 << 20

test('a job that has waited ten thousands of times holds no more memory than before', { timeout: 60_000 }, async () => {
  const { version, log, waited, stop } = await steeredVersion({ control: 1, publishes: true })
  void version.run('stopped')
  await waited(waits / 10)
  const before = heapBytes()
  await waited(waits)
  expect(heapBytes() - before).toBeLessThan(leftBytesMax)
  await stop()
  await log.close()
})

/** Of what is in use, everything else collected. */
function heapBytes(): number {
  setFlagsFromString('--expose-gc')
  ;(runInNewContext('gc') as () => void)()
  return process.memoryUsage().heapUsed
}
