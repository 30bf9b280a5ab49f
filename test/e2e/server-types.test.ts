import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { numbers, serverUnderTest, stateless } from './server-under-test.ts'

const { server, fileOf, send, cli, view } = await serverUnderTest()

const right = stateless('typed', 'false')
const wrong = right.replace('return { n, half: n / 2 }', 'return { n }')

test('a job whose rows lack a field of its output is not deployed, unless that is asked for; one that is right is', {
  timeout: 60_000,
}, async () => {
  await send('typed', numbers(0, 10))
  const file = fileOf(wrong)
  const refused = await cli('deploy', file)
  expect([refused.code, refused.stdout]).toEqual([1, ''])
  expect(refused.stderr).toMatch(/error TYPE_CHECK_FAILED/)
  const line =
    readFileSync(file, 'utf8')
      .split('\n')
      .findIndex((text) => text.includes('.to(out)')) + 1
  expect(refused.stderr).toMatch(new RegExp(`job\\.ts:${line}:\\d+ TS2345 .*Property 'half' is missing`))
  expect(refused.stderr).toMatch(/ {2}fix {3}.*--no-type-check/)
  const asJson = await cli('deploy', file, '--json')
  expect(JSON.parse(asJson.stderr).error).toMatchObject({
    code: 'TYPE_CHECK_FAILED',
    details: { errors: [expect.stringContaining('half')] },
  })
  expect((await server.api.get<{ items: unknown[] }>('/api/v1/jobs')).items).toEqual([])

  const done = await cli('deploy', fileOf(right), '--json')
  expect([done.code, JSON.parse(done.stdout).version]).toEqual([0, 1])
  expect(done.stderr).toMatch(/^types checked in \d+\.\d s$/m)
  expect((await cli('deploy', file, '--no-type-check', '--quiet')).code).toBe(0)
  expect((await view('typed')).versions.length).toBe(2)
})
