import { expect, test } from 'vitest'
import { serverInProcess } from './server-in-process.ts'

const found = serverInProcess()

test('a job of which nothing was decided is none: its first deployment was refused, or failed', async () => {
  await found.server.controller('refused')
  expect((await found.app.inject('/api/v1/jobs')).json()).toEqual({ items: [] })
  expect((await found.app.inject('/api/v1/jobs/refused')).json()).toMatchObject({
    status: 404,
    code: 'JOB_UNKNOWN',
    details: { job: 'refused' },
  })
})
