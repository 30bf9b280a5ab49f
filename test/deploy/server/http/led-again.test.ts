import { expect, test } from 'vitest'
import { decide } from '../../../../replay/control-log.ts'
import { nothingDecided } from '../../../../replay/control-state.ts'
import { serverInProcess } from './server-in-process.ts'

const found = serverInProcess()

test('a job that could not be led is tried anew when it is asked for again', async () => {
  const { server } = found
  await decide(server.log, 'shop', nothingDecided, { type: 'registered', at: 1, version: 1, sha256: 'a', parallelism: 1, fingerprint: '' })
  await expect(server.controller('shop')).rejects.toMatchObject({ code: 'LOG_CORRUPT' })
  await server.bundles.put({ sha256: 'a', name: 'shop', text: 'no job', map: '' }, 1)
  await expect(server.controller('shop')).rejects.toMatchObject({ code: 'JOB_LOAD_FAILED' })
})
