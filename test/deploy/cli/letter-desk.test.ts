import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { reprise } from './fake-terminal.ts'

/** A server whose pages hold two letters at most, and that has five. */
let server: Server
let asked: string[]
beforeEach(async () => {
  asked = []
  server = createServer(({ url }, response) => {
    asked.push(url!)
    const query = new URL(url!, 'http://x').searchParams
    const from = Number(query.get('from'))
    const to = Math.min(from + Math.min(2, Number(query.get('limit'))), 5)
    const letter = { state: 'open', source: null, code: 'OPERATOR_THREW', path: '$', operator: 'map', message: 'no', setAsideAt: null }
    const items = Array.from({ length: to - from }, (_, i) => ({ id: from + i, ...letter }))
    response.end(JSON.stringify({ items, next: to < 5 ? String(to) : null }))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
})
afterEach(() => new Promise((resolve) => void server.close(resolve)))

async function list(flags = '') {
  const { port } = server.address() as AddressInfo
  const { out } = await reprise(`dlq list shop --json --server http://127.0.0.1:${port} ${flags}`)
  const { letters, more } = JSON.parse(out) as { letters: { id: number }[]; more: boolean }
  return { ids: letters.map(({ id }) => id), more }
}

test('a list of dead letters goes on behind a page that the server ended early', async () => {
  expect(await list()).toEqual({ ids: [0, 1, 2, 3, 4], more: false })
  expect(asked.map((url) => new URL(url, 'http://x').searchParams.get('from'))).toEqual(['0', '2', '4'])
  expect(await list('--limit 3')).toEqual({ ids: [0, 1, 2], more: true })
})
