import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { reprise } from './fake-terminal.ts'

const partition = (partition: number, lag: string) => ({ version: 1, topic: 'in', partition, current: '0', end: lag, lag, lagSeconds: 1 })
const decided = (id: number, at: number) => ({ id: String(id), event: { type: 'paused', at, version: id } })
const call = (at: number, path: string) => ({
  at: new Date(at).toISOString(),
  by: 'ana',
  method: 'POST',
  path,
  status: 200,
  requestId: 'r',
})

const hourMs = 3_600_000
const now = Date.now()
const answers: Record<string, object[]> = {
  '/api/v1/jobs/shop/lag': [partition(0, '9'), partition(1, '0'), partition(2, '10')],
  '/api/v1/jobs/shop/events?after=-1': [decided(0, now - 3 * hourMs), decided(1, now - hourMs)],
  '/api/v1/audit?limit=50': [call(now, '/c'), call(now - 2 * hourMs, '/b'), call(now - 4 * hourMs, '/a')],
}
answers['/api/v1/audit?limit=1000'] = answers['/api/v1/audit?limit=50']!
answers['/api/v1/audit?limit=2'] = answers['/api/v1/audit?limit=50']!.slice(0, 2)

const server = createServer(({ url }, response) => void response.end(JSON.stringify({ items: answers[url!] })))
let env: Record<string, string>
beforeAll(async () => {
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  env = { REPRISE_SERVER: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
})
afterAll(() => void server.close())

async function items(args: string): Promise<Record<string, unknown>[]> {
  const { exit, out, err } = await reprise(`${args} --json`, { env })
  expect(exit, err).toBe(0)
  return (JSON.parse(out) as { items: Record<string, unknown>[] }).items
}

test('lag gives partitions in their order, or the worst first, or those in which something waits', async () => {
  const partitions = async (flags: string) => (await items(`lag shop ${flags}`)).map(({ partition }) => partition)
  expect(await partitions('')).toEqual([0, 1, 2])
  expect(await partitions('--sort lag')).toEqual([2, 0, 1])
  expect(await partitions('--only-lagging')).toEqual([0, 2])
  const { out } = await reprise('lag shop --sort lag --only-lagging', { env })
  expect(
    out
      .split('\n')
      .slice(1, 3)
      .map((row) => row.split(/ +/)[2]),
  ).toEqual(['2', '0'])
  expect((await reprise('lag shop --sort topic', { env })).exit).toBe(2)
})

test('events and audit give what happened since a time', async () => {
  expect((await items('events shop')).map(({ id }) => id)).toEqual(['0', '1'])
  expect((await items('events shop --since 2h')).map(({ id }) => id)).toEqual(['1'])
  expect((await items(`events shop --since ${new Date(now - 3 * hourMs).toISOString()}`)).map(({ id }) => id)).toEqual(['0', '1'])
  expect((await items('audit')).map(({ path }) => path)).toEqual(['/c', '/b', '/a'])
  expect((await items('audit --since 3h')).map(({ path }) => path)).toEqual(['/c', '/b'])
  expect((await reprise('audit --since soon', { env })).exit).toBe(2)
})

test('audit says where there is more than it shows', async () => {
  expect((await reprise('audit --since 3h', { env })).err).toBe('')
  expect((await reprise('audit --since 3h --limit 2', { env })).err).toBe('only the newest 2 are shown\n')
})
