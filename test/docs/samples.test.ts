import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { reprise } from '../deploy/cli/fake-terminal.ts'
import { commandsOf, samplesOf } from './samples.ts'

const top = path.resolve(import.meta.dirname, '../..')
const [job, kit] = samplesOf('README.md', 'ts') as [string, string]
let folder: string
// Inside the project, where `reprise` and zod are found.
beforeAll(async () => {
  folder = await mkdtemp(path.join(top, 'test/docs/.samples-'))
  await writeFile(path.join(folder, 'job.ts'), job)
  await writeFile(path.join(folder, 'kit.ts'), kit)
  await writeFile(path.join(folder, 'flights.ndjson'), samplesOf('docs/getting-started.md', 'json').join(''))
  const tsconfig = {
    extends: '../../../tsconfig.json',
    include: ['*.ts', path.join(top, 'engine/block/buffer-methods.d.ts')],
    compilerOptions: { rootDir: top },
  }
  await writeFile(path.join(folder, 'tsconfig.json'), JSON.stringify(tsconfig))
})
afterAll(() => rm(folder, { recursive: true }))

describe('the samples of the README', () => {
  test('compile', async () => {
    const tsc = path.join(top, 'node_modules/.bin/tsc')
    const { stdout } = await promisify(execFile)(tsc, ['-p', folder]).catch((failure: { stdout: string }) => failure)
    expect(stdout).toBe('')
  })

  test('run: the test kit gives the row', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', path.join(folder, 'kit.ts')], { cwd: top })
    expect(stdout).toContain("'JFK/1767225600000' => {")
  })
})

test('the commands of the first steps do what the page says, one after the other', async () => {
  const commands = commandsOf('docs/getting-started.md', 'reprise')
  expect(commands.length).toBeGreaterThan(8)
  const before = process.cwd()
  process.chdir(folder)
  try {
    const outputs = new Map<string, string>()
    for (const command of commands) {
      const { exit, out, err } = await reprise(command.slice('reprise '.length))
      expect([exit, err], command).toEqual([0, ''])
      outputs.set(command, out)
    }
    const digests = [...outputs.values()].flatMap((out) => /^output digest +(\w+)$/m.exec(out)?.[1] ?? [])
    // Run to the end twice (one key, the same command), to completion, and to completion in another directory.
    expect(digests).toHaveLength(3)
    expect(digests[2]).toBe(digests[1])
    expect(outputs.get('reprise log tail delays-by-airport --data data')).toMatch(/"airport":"HEL".*"flights":2/)
    expect(outputs.get('reprise log tail delays-by-airport --data data -o beginning --json')!.trim().split('\n')).toHaveLength(3)
  } finally {
    process.chdir(before)
  }
})
