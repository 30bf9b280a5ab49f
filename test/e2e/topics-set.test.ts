import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { reprise } from './command-line.ts'
import { numbers, serverUnderTest, stateless } from './server-under-test.ts'

const { server, send, deploy, cli, caughtUp } = await serverUnderTest()

const keeping = (name: string): string =>
  stateless(name, 'false')
    .replace('eventTime: ({ at }) => at', "eventTime: ({ at }) => at, retention: '7d', retentionBytes: 5e9")
    .replace('half: z.number() })', "half: z.number() }), kind: 'table', key: ({ n }) => String(n), compact: true")

describe('at a server', () => {
  test('topics are made with what their job says they keep, and it can be changed', async () => {
    await deploy(keeping('kept'), { createTopics: true })
    const rowOf = async (topic: string) => (await cli('topics')).stdout.split('\n').find((line) => line.startsWith(`${topic} `))
    await expect.poll(() => rowOf('kept-out'), { timeout: 10_000 }).toContain('the latest of each key')
    expect(await rowOf('kept')).toContain('7d, 5 GB a partition')
    expect((await cli('topics', 'set', 'kept', '--retention', 'forever')).stdout).toBe('kept keeps 5 GB a partition\n')
    expect((await cli('topics', 'set', 'kept-out', '--no-compact', '--json')).stdout).toBe(
      '{"name":"kept-out","retentionMs":null,"retentionBytes":null,"compacted":false}\n',
    )
    expect(await rowOf('kept')).toMatch(/ 5 GB a partition$/)
    // Deployed again nothing is refused, and nothing changed back.
    await send('kept', numbers(0, 5))
    await caughtUp('kept', 1)
    await deploy(keeping('kept').replace('n / 2', 'n / 3'))
    await caughtUp('kept', 2)
    expect(await server.api.get('/api/v1/topics/kept')).toMatchObject({ retentionMs: null, retentionBytes: 5e9, compacted: false })
  })

  test('what makes no sense is refused', async () => {
    await send('refused', numbers(0, 1))
    const codeOf = async (...args: string[]) => {
      const { code, stderr } = await cli('topics', 'set', ...args)
      return [code, /error ([A-Z_]+)/.exec(stderr)?.[1]]
    }
    expect(await codeOf('nothing', '--retention', '1d')).toEqual([5, 'TOPIC_UNKNOWN'])
    expect(await codeOf('reprise.audit', '--retention', '1d')).toEqual([2, 'REQUEST_INVALID'])
    expect(await codeOf('refused', '--compact')).toEqual([2, 'REQUEST_INVALID'])
    expect(await codeOf('refused')).toEqual([2, 'USAGE'])
    expect(await codeOf('refused', '--retention', '0s')).toEqual([2, 'USAGE'])
    expect(await codeOf('refused', '--retention-bytes', '10')).toEqual([2, 'USAGE'])
    await expect(server.api.patch('/api/v1/topics/refused', {})).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
  })
})

describe('in a data directory', () => {
  const dir = mkdtempSync(join(tmpdir(), 'reprise-topics-'))
  symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(dir, 'node_modules'))
  afterAll(() => rmSync(dir, { recursive: true, force: true }))

  test("what a job's own topics keep can be changed too, and the job starts again", async () => {
    const data = join(dir, 'data')
    writeFileSync(join(dir, 'job.ts'), keeping('kept'))
    writeFileSync(
      join(dir, 'kept.ndjson'),
      numbers(0, 5)
        .map((value) => `${JSON.stringify(value)}\n`)
        .join(''),
    )
    const run = () => reprise(['run', join(dir, 'job.ts'), '--data', data, '--ingest', `kept=${join(dir, 'kept.ndjson')}`, '--until-end'])
    const first = await run()
    expect(first.code, first.stderr).toBe(0)
    for (const topic of ['kept', 'kept.late', 'kept.dead-letters']) {
      const { stdout, stderr } = await reprise(['topics', 'set', topic, '--retention', '12h', '--data', data])
      expect([stdout.includes('12h'), stderr]).toEqual([true, ''])
    }
    const again = await run()
    expect(again.code, again.stderr).toBe(0)
    const { topics } = JSON.parse((await reprise(['topics', '--data', data, '--json'])).stdout)
    expect(topics.map(({ name, retentionMs, compacted }: Record<string, unknown>) => [name, retentionMs, compacted])).toEqual([
      ['kept', 43_200_000, false],
      ['kept-out', null, true],
      ['kept.dead-letters', 43_200_000, false],
      ['kept.late', 43_200_000, false],
    ])
  })
})
