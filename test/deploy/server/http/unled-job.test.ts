import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { planDeployment } from '../../../../deploy/server/deployments.ts'
import { makeApp } from '../../../../deploy/server/http/app.ts'
import type { InspectedJob } from '../../../../deploy/server/inspected-job.ts'
import { BlockBuilder } from '../../../../engine/block/block-builder.ts'
import { decide } from '../../../../replay/control-log.ts'
import { nothingDecided } from '../../../../replay/control-state.ts'
import { startInProcess } from './server-in-process.ts'

test('a job whose decisions can not be read keeps no other topic from taking records', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'reprise-unled-'))
  const before = await startInProcess(folder)
  await before.log.createTopic({ name: 'shop.control', partitions: 1, kind: 'internal' })
  await before.log.createTopic({ name: 'shop.v1.private.sales', partitions: 1, kind: 'stream' })
  const block = new BlockBuilder()
  block.add({ key: null, value: Buffer.from('{"type":'), eventTime: 0 })
  const damager = await before.log.producer('damager')
  const appends = [{ topic: 'shop.control', partition: 0, block: block.finish() }]
  await damager.commit({ expect: damager.end, next: { seq: 1, hash: '' }, appends })
  await before.close()
  const server = await startInProcess(folder)
  const app = await makeApp(server)
  try {
    const send = (topic: string) => app.inject({ method: 'POST', url: `/api/v1/topics/${topic}/records`, payload: { n: 1 } })
    expect((await send('visits')).statusCode).toBe(200)
    expect((await send('sales')).statusCode).toBe(409)
  } finally {
    await app.close()
    await server.close()
    await rm(folder, { recursive: true })
  }
})

test('what a job writes that can not be led is its own: nothing is taken into it, and no other job is deployed on it', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'reprise-unled-'))
  const before = await startInProcess(folder)
  await decide(before.log, 'shop', nothingDecided, { type: 'registered', at: 1, version: 1, sha256: 'a', parallelism: 1, fingerprint: '' })
  await before.log.createTopic({ name: 'shop.v1.private.sales', partitions: 1, kind: 'stream' })
  await before.close()
  const server = await startInProcess(folder)
  const app = await makeApp(server)
  try {
    const send = (topic: string) => app.inject({ method: 'POST', url: `/api/v1/topics/${topic}/records`, payload: { n: 1 } })
    const owned = { code: 'OUTPUT_OWNED', details: { topic: 'sales', job: 'shop', reason: expect.stringContaining('LOG_CORRUPT') } }
    expect((await send('sales')).json()).toMatchObject({ status: 409, ...owned })
    expect((await send('visits')).statusCode).toBe(200)
    const planned = (job: string) => {
      const inspected = { job, described: { nodes: [] }, sources: [], outputs: [{ name: 'sales' }] } as unknown as InspectedJob
      return planDeployment(server.log, inspected, server, { allowSchemaChange: false, createTopics: false, starts: {} })
    }
    expect(() => planned('other')).toThrow(expect.objectContaining(owned))
    expect(planned('shop')).toMatchObject({ next: 1 })
  } finally {
    await app.close()
    await server.close()
    await rm(folder, { recursive: true })
  }
})
