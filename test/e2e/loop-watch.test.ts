import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { reprise } from './command-line.ts'

const looping = `
import { defineJob, topic } from 'reprise'
const numbers = topic('numbers', { codec: 'json' })
export default defineJob('looping', (job) => {
  job.from(numbers).map((n) => { if (n === 2) for (;;); return n }).to(topic('copies', { codec: 'json' }))
})
`

test('a run whose job loops says so and ends: no signal would reach it', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'reprise-loop-'))
  try {
    const job = path.join(folder, 'looping.ts')
    await writeFile(job, looping)
    const run = (input: string) =>
      reprise(
        ['run', job, '--data', path.join(folder, 'data'), '--ingest', 'numbers=-', '--source-id', input, '--until-end', '--watchdog', '2s'],
        { input },
      )
    expect(await run('1\n')).toMatchObject({ code: 0 })
    const { signal, stderr } = await run('2\n')
    expect([signal, stderr]).toEqual([
      'SIGKILL',
      expect.stringMatching(/^error VERSION_UNRESPONSIVE: .*\n.*its code did not come back for 2 s\n {2}fix/m),
    ])
  } finally {
    await rm(folder, { recursive: true })
  }
})
