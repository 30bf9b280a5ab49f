import { expect, test } from 'vitest'
import { serverInProcess } from './server-in-process.ts'

const found = serverInProcess()
const mebi = 1 << 20

interface Page {
  readonly items: { readonly offset: string; readonly key: string | null; readonly value: { readonly k: string } }[]
  readonly next: string | null
}
const page = async (url: string) => (await found.app.inject(url)).json<Page>()

/** Each with a key that sorts as they come. */
async function send(topic: string, sizes: readonly number[]): Promise<void> {
  const lines = sizes.map((bytes, n) => `{"k":"${n}","pad":"${'x'.repeat(bytes)}"}\n`).join('')
  const headers = { 'content-type': 'application/x-ndjson' }
  const sent = await found.app.inject({ method: 'POST', url: `/api/v1/topics/${topic}/records?key=k`, payload: lines, headers })
  expect(sent.json()).toMatchObject({ added: sizes.length })
}

const full = 8 * mebi - 20
const sizes = [3 * mebi, 3 * mebi, 3 * mebi, full, 10, 10, full]
const pages = [['0', '1'], ['2'], ['3'], ['4', '5'], ['6']]

test('a page of records ends before it is too large, however many are asked for, and says where the next begins', async () => {
  await send('large', sizes)
  const given: string[][] = []
  for (let from = 0; from < sizes.length; ) {
    const { items, next } = await page(`/api/v1/topics/large/records?limit=10000&from=${from}`)
    given.push(items.map(({ offset }) => offset))
    from = Number(next)
  }
  expect(given).toEqual(pages)
  expect((await page('/api/v1/topics/large/records?limit=1&from=1')).next).toBe('2')
})

test('so does a page of rows', async () => {
  await found.server.log.createTopic({ name: 'rows', partitions: 1, kind: 'table' })
  await send('rows', sizes)
  const given: string[][] = []
  for (let after: string | null = ''; after !== null; ) {
    const { items, next }: Page = await page(`/api/v1/tables/rows?limit=10000&after=${after}`)
    given.push(items.map(({ value }) => value.k))
    after = next
  }
  expect(given).toEqual(pages)
  expect((await page('/api/v1/tables/rows?key=3')).items).toHaveLength(1)
})
