import { expect, test } from 'vitest'
import { serverInProcess } from './server-in-process.ts'

const found = serverInProcess()

test('a number that is left empty is none: records without one are not taken for those that are there already', async () => {
  const send = (query: string) => found.app.inject({ method: 'POST', url: `/api/v1/topics/numbers/records?${query}`, payload: [{ n: 1 }] })
  expect((await send('producer=p&sequence=0')).json()).toMatchObject({ added: 1 })
  const empty = await send('producer=p&sequence=')
  expect([empty.statusCode, empty.json()]).toEqual([400, expect.objectContaining({ code: 'REQUEST_INVALID' })])
  for (const text of ['', '%20', '1e1', '0x1', '-1', '1.0', '0&from=0'])
    expect([text, (await found.app.inject(`/api/v1/topics/numbers/records?from=${text}`)).statusCode]).toEqual([text, 400])
  expect((await found.app.inject('/api/v1/topics/numbers/records?from=0')).json()).toMatchObject({
    items: [{ value: { n: 1 } }],
    next: '1',
  })
})

test('in the document it is a number', async () => {
  type Documented = { paths: Record<string, { get: { parameters: { name: string }[] } }> }
  const { paths } = (await found.app.inject('/openapi.json')).json<Documented>()
  const from = paths['/api/v1/topics/{topic}/records']!.get.parameters.find(({ name }) => name === 'from')
  expect(from).toMatchObject({ in: 'query', required: false, schema: { type: 'integer', minimum: 0 } })
})
