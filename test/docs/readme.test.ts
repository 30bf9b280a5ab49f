import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { exitCodes } from '../../deploy/cli/exit-code.ts'
import type { JobView } from '../../deploy/server/views.ts'
import { type Ended, start } from '../e2e/command-line.ts'
import { persistently, ServerProcess } from '../e2e/server-process.ts'
import { commandsOf, samplesOf, wordsOf } from './samples.ts'

const top = path.resolve(import.meta.dirname, '../..')

test('the commands of the README do what it says, one after the other', { timeout: 120_000 }, async () => {
  // Inside the project, where zod is found.
  const folder = await mkdtemp(path.join(top, 'test/docs/.readme-'))
  const [job] = samplesOf('README.md', 'ts') as [string]
  await writeFile(path.join(folder, 'job.ts'), job)
  await writeFile(
    path.join(folder, 'job-v2.ts'),
    job.replace('avg((flight) => flight.delay)', 'avg((flight) => Math.min(flight.delay, 180))'),
  )
  await writeFile(path.join(folder, 'flights.ndjson'), samplesOf('docs/getting-started.md', 'json').join(''))
  const server = await ServerProcess.on(path.join(folder, 'data'), ['--quiet'])
  const outputs = new Map<string, string>()
  try {
    for (const command of commandsOf('README.md', 'reprise')) {
      if (command === 'reprise server --data data') await server.start()
      else {
        const { code, stdout, stderr } = await run(command)
        expect([code, stderr.includes('error')], `${command}: ${stderr}`).toEqual([
          command.endsWith('--watch') ? exitCodes.interrupted : exitCodes.done,
          false,
        ])
        outputs.set(command, stdout)
      }
    }
  } finally {
    if (server.lives > 0) await server.stop()
    await rm(folder, { recursive: true })
  }
  const outputOf = (part: string) => [...outputs].find(([command]) => command.includes(part))![1]
  expect(outputOf('log tail')).toMatch(/"airport":"HEL".*"flights":2/)
  expect(outputOf('deploy job.ts')).toContain('already v1 (active, running)')
  expect(outputOf('deploy job-v2.ts')).toContain('v2 replays beside')
  expect(outputOf('--watch')).toContain('v2')
  expect(outputOf('promote')).toContain('is now v2')
  expect(outputOf('rollback')).toContain('is now v1')

  /** What goes on until Ctrl-C goes on until there is nothing more to wait for. */
  async function run(command: string): Promise<Ended> {
    const [, verb, ...args] = wordsOf(command)
    // On a terminal they ask.
    const yes = verb === 'promote' || verb === 'rollback' ? ['--yes'] : []
    const running = start([verb!, ...args, ...yes], { env: { REPRISE_SERVER: server.url }, cwd: folder })
    if (command.endsWith('--watch')) {
      await persistently(async () => {
        const { versions } = await server.api.get<JobView>('/api/v1/jobs/airport-delays')
        expect(versions.find(({ version }) => version === 2)).toMatchObject({ phase: 'caught-up' })
      })
      running.kill('SIGINT')
    }
    return running.ended
  }
})
