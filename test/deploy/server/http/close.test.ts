import { expect, test } from 'vitest'
import { realClock } from '../../../support/real-clock.ts'
import { serverInProcess } from './server-in-process.ts'

const found = serverInProcess()

test('a job that begins to be led while the server stops is left too', async () => {
  const { server } = found
  const opening = server.controller('late')
  await server.close()
  const controller = await opening
  const before = controller.lookedAt
  await realClock.sleep(800)
  expect(controller.lookedAt).toBe(before)
})
