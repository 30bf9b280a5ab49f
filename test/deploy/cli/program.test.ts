import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test, vi } from 'vitest'
import { reprise } from './fake-terminal.ts'

describe('the command line', () => {
  test.each([
    ['describe', 'USAGE', "missing required argument 'file'"],
    ['version --jsn', 'USAGE', 'did you mean --json?'],
    ['descrbe job.ts', 'USAGE', 'did you mean describe?'],
    ['nothing-like-it', 'USAGE', 'reprise --help'],
    ['version extra', 'USAGE', 'too many arguments'],
    ['log tail flights', 'USAGE', 'reprise log tail --help'],
  ])('"%s" is a usage error: exit code 2, nothing on standard output', async (args, code, text) => {
    const { exit, out, err } = await reprise(args)
    expect([exit, out]).toEqual([2, ''])
    expect(err).toMatch(new RegExp(`^error ${code}: `))
    expect(err).toContain(text)
    expect(err).toContain(`  docs  docs/errors/${code}.md\n`)
  })

  test('without a verb prints its help to standard error and ends with 2', async () => {
    const { exit, out, err } = await reprise('')
    expect([exit, out]).toEqual([2, ''])
    expect(err).toContain('Usage: reprise')
  })

  test('help that was asked for is data', async () => {
    const { exit, out, err } = await reprise('--help')
    expect([exit, err]).toEqual([0, ''])
    expect(out).toContain('describe')
  })

  test('help of a verb also names the options that all verbs have', async () => {
    expect((await reprise('log tail --help')).out).toMatch(/^Global Options:.*--json.*--no-color/ms)
  })

  test('the help of each verb begins with examples that name it', async () => {
    const verbsOf = async (of: string) =>
      [...(await reprise(`${of} --help`)).out.matchAll(/^ {2}(?!reprise )([a-z]+) (?!.*job\.ts).*$/gm)].map(([, verb]) => verb!)
    const groups: Record<string, string[]> = {
      log: ['log tail', 'log verify'],
      dlq: ['dlq list', 'dlq show', 'dlq retry', 'dlq drop'],
      token: ['token create', 'token ls', 'token revoke'],
    }
    const verbs = (await verbsOf('')).flatMap((verb) => groups[verb] ?? [verb])
    expect(verbs).toEqual(
      expect.arrayContaining(['run', 'ingest', 'dlq retry', 'describe', 'topics', 'log tail', 'log verify', 'doctor', 'version']),
    )
    for (const verb of verbs) {
      const { exit, out } = await reprise(`${verb} --help`)
      expect(exit, verb).toBe(0)
      expect(out, verb).toMatch(new RegExp(`^Examples:\n  reprise ${verb}`))
    }
  })

  test('a file that is not there is "not found", exit code 5', async () => {
    const { exit, out, err } = await reprise('describe nowhere.ts')
    expect([exit, out]).toEqual([5, ''])
    expect(err).toContain('error FILE_UNREADABLE')
    expect(err).toContain('nowhere.ts')
    expect(err).toContain('  fix   check its name: ')
  })

  test('an error names its page by a path that can be opened from where one is', async () => {
    vi.spyOn(process, 'cwd').mockReturnValue(path.resolve('deploy/cli'))
    expect((await reprise('nothing-like-it')).err).toContain('  docs  ../../docs/errors/USAGE.md\n')
    vi.restoreAllMocks()
  })

  test('errors are JSON on standard error when JSON is asked for', async () => {
    const { out, err } = await reprise('describe nowhere.ts --json')
    expect(out).toBe('')
    expect(JSON.parse(err).error).toMatchObject({
      code: 'FILE_UNREADABLE',
      retry: 'after-fix',
      details: { file: 'nowhere.ts', reason: 'ENOENT' },
      docs: 'docs/errors/FILE_UNREADABLE.md',
    })
  })

  test('stack traces are shown when asked for only', async () => {
    expect((await reprise('describe nowhere.ts')).err).not.toContain('at bundleJob')
    expect((await reprise('describe nowhere.ts --verbose')).err).toContain('StreamError: FILE_UNREADABLE')
  })

  test('colours are for a person who did not ask for none', async () => {
    const red = '\x1b[31m'
    expect((await reprise('describe nowhere.ts', { live: true })).err).toContain(red)
    expect((await reprise('describe nowhere.ts')).err).not.toContain('\x1b')
    expect((await reprise('describe nowhere.ts --no-color', { live: true })).err).not.toContain('\x1b')
    expect((await reprise('describe nowhere.ts', { live: true, env: { NO_COLOR: '1' } })).err).not.toContain('\x1b')
  })

  test('version says what runs', async () => {
    const { exit, out } = await reprise('version --json')
    expect(exit).toBe(0)
    expect(JSON.parse(out)).toEqual({
      reprise: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
    })
    expect((await reprise('--version')).out.trim()).toBe(JSON.parse(out).reprise)
  })

  test('a reader of messages who goes away changes nothing', async () => {
    const child = spawn(process.execPath, ['--import', 'tsx', 'deploy/cli/main.ts', 'nope'])
    child.stderr.destroy()
    expect(await once(child, 'exit')).toEqual([2, null])
  })

  test('as a process ends with its exit code and keeps the two outputs apart', async () => {
    const run = (...args: string[]) => promisify(execFile)(process.execPath, ['--import', 'tsx', 'deploy/cli/main.ts', ...args])
    await expect(run('version')).resolves.toMatchObject({ stdout: expect.stringContaining('reprise'), stderr: '' })
    await expect(run('nope')).rejects.toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('error USAGE') })
  })
})

describe('a question that nobody can answer', () => {
  test('says how to look first only where that is possible', async () => {
    expect((await reprise('token revoke ci')).err).toMatch(/^error CONFIRMATION_NEEDED[\s\S]* fix {3}add --yes\n/)
    expect((await reprise('abort delays v2')).err).toMatch(/ fix {3}add --yes\n/)
  })

  test('is not asked before dead letters are retried; --yes is taken all the same', async () => {
    const server = 'http://127.0.0.1:1'
    expect((await reprise(`dlq retry shop 3 -y --server ${server}`)).err).toContain('error SERVER_UNREACHABLE')
  })
})
