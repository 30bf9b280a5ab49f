import { expect, test } from 'vitest'
import { serverInProcess } from './server-in-process.ts'

const found = serverInProcess()

test('of a request that failed the log has the path, not what was asked for', async () => {
  const told: object[] = []
  const { server } = found
  Object.defineProperty(server, 'logger', { value: { ...server.logger, error: (fields: object) => told.push(fields) } })
  server.log.topics = () => {
    throw new Error('for the test')
  }
  const url = '/api/v1/topics'
  const { statusCode } = await found.app.inject(`${url}?key=secret`)
  expect([statusCode, told]).toEqual([500, [expect.objectContaining({ path: url })]])
})
