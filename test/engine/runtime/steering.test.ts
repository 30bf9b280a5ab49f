import { expect, test } from 'vitest'
import { steeredVersion } from './steered-version.ts'

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
