import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { reprise } from './command-line.ts'

const counting = `
import { count, defineJob, topic, tumbling } from 'reprise'
const a = topic('a', { codec: 'json', eventTime: (n) => n })
export default defineJob('counting', (job) => {
  job.from(a).keyBy('one', () => 'k').window('w', tumbling('1d')).aggregate({ n: count() }).to(topic('counts', { codec: 'json' }))
})
`

const dir = mkdtempSync(join(tmpdir(), 'reprise-sealed-'))
const job = join(dir, 'counting.ts')
writeFileSync(job, counting)
writeFileSync(join(dir, 'a.ndjson'), '1\n2\n')
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const run = (data: string, source: string, options: Parameters<typeof reprise>[1] = {}) =>
  reprise(['run', job, '--data', join(dir, data), '--ingest', `a=${source}`, '--complete', '--json', ...named(source)], options)
const named = (source: string) => (source === '-' ? ['--source-id', 'q'] : [])

test.each([
  ['standard input', '-'],
  ['a file', join(dir, 'a.ndjson')],
])(
  'a run to the end of its input that was killed behind the seal goes on by the same command, and again adds nothing: %s',
  async (name, source) => {
    const input = '1\n2\n'
    const killed = await run(name, source, { input, env: { REPRISE_FAIL_AT: 'commit.sent:1' } })
    expect(killed.signal, killed.stderr).toBe('SIGKILL')
    for (let again = 0; again < 2; again++) {
      const { code, stdout, stderr } = await run(name, source, { input })
      expect(code, stderr).toBe(0)
      expect(JSON.parse(stdout)).toMatchObject({ sealed: true, in: 2, out: { counts: 1 } })
    }
  },
)

test('what is new to a sealed job is refused, also behind what it knows of a source', async () => {
  expect(await run('more', '-', { input: '1\n2\n' })).toMatchObject({ code: 0 })
  const refused = { code: 3, stderr: expect.stringContaining('JOB_SEALED') }
  expect(await run('more', '-', { input: '1\n2\n3\n' })).toMatchObject(refused)
  expect(await run('more', join(dir, 'a.ndjson'))).toMatchObject(refused)
  const again = await run('more', '-', { input: '1\n2\n' })
  expect(JSON.parse(again.stdout)).toMatchObject({ in: 2, out: { counts: 1 } })
})
