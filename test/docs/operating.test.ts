import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { start } from '../e2e/command-line.ts'
import { ServerProcess } from '../e2e/server-process.ts'
import { commandsOf, samplesOf, wordsOf } from './samples.ts'

const top = path.resolve(import.meta.dirname, '../..')

test('the commands of the page on operating do what it says, one after the other', { timeout: 120_000 }, async () => {
  // Inside the project, where zod is found.
  const folder = await mkdtemp(path.join(top, 'test/docs/.operating-'))
  const [job] = samplesOf('README.md', 'ts') as [string]
  await writeFile(path.join(folder, 'job.ts'), job)
  const changed = job.replace('max((flight) => flight.delay)', 'max((flight) => Math.max(0, flight.delay))')
  await writeFile(path.join(folder, 'job-v2.ts'), changed)
  await writeFile(path.join(folder, 'flights.ndjson'), samplesOf('docs/getting-started.md', 'json').join(''))
  const commands = commandsOf('docs/operating.md', 'reprise', 'curl')
  expect(commands[0]).toBe('reprise server --data data')
  expect(commands.length).toBeGreaterThan(20)
  const server = await ServerProcess.on(path.join(folder, 'data'), ['--hold', '300ms', '--hold-timeout', '5s', '--quiet'])
  await server.start()
  const outputs = new Map<string, string>()
  try {
    for (const command of commands.slice(1)) {
      if (command.startsWith('reprise ')) {
        const { code, stdout, stderr } = await start(wordsOf(command).slice(1), { env: { REPRISE_SERVER: server.url }, cwd: folder }).ended
        expect([code, stderr.includes('error')], `${command}: ${stderr}`).toEqual([0, false])
        outputs.set(command, stdout)
      } else {
        const [program, ...args] = wordsOf(command.replaceAll('http://127.0.0.1:8787', server.url))
        const { stdout } = await promisify(execFile)(program!, args, { cwd: folder, maxBuffer: 1 << 24 })
        outputs.set(command, stdout)
      }
    }
  } finally {
    await server.stop()
    await rm(folder, { recursive: true })
  }
  const outputOf = (part: string) => [...outputs].find(([command]) => command.includes(part))![1]
  expect(outputOf('--data-binary')).toMatch(/"added":\d+,"skipped":0/)
  expect(outputOf('deploy job-v2.ts')).toContain('v2 replays beside')
  expect(outputOf('wait')).toContain('v2 has caught up')
  expect(outputOf('rollback')).toContain('is now v1')
  expect(outputOf('reprise events').match(/cutOver/g)).toHaveLength(3)
  expect(outputOf('topics set flights')).toBe('flights keeps 90d, 10 GB a partition\n')
  expect(outputOf('log verify')).toContain('no damage')
  expect(outputOf('/metrics')).toContain('reprise_job_version_active{reprise_job="airport-delays",version="v2"} 1')
})
