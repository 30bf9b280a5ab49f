import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bundleJob } from '../../deploy/bundle.ts'
import type { StreamError } from '../../engine/errors.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'reprise-bundle-'))
})
afterAll(() => rm(directory, { recursive: true }))

describe('a bundle', () => {
  test('holds what the job imports, but not reprise', async () => {
    await write('a/node_modules/lib/package.json', '{ "name": "lib", "main": "index.js" }')
    await write('a/node_modules/lib/index.js', 'exports.word = "from the package"')
    await write('a/other.ts', 'export const near = "from the next file"')
    const bundle = await bundleJob(
      await write(
        'a/job.ts',
        "import { word } from 'lib'; import { near } from './other.ts'; import { defineJob } from 'reprise'; export default defineJob({ word, near })",
      ),
    )
    expect(bundle.name).toBe('job.ts')
    expect(bundle.text).toContain('from the package')
    expect(bundle.text).toContain('from the next file')
    expect(bundle.text).toContain('require("reprise")')
    expect(bundle.sha256).toMatch(/^[0-9a-f]{64}$/)
  })

  test('is the same for the same code in another folder, with other comments, types and layout', async () => {
    const one = await bundleJob(await write('b/job.ts', "import { defineJob } from 'reprise'\nexport default defineJob({ n: 1 + 1 })"))
    const two = await bundleJob(
      await write(
        'c/d/job.ts',
        "// a comment\nimport { defineJob } from 'reprise'\n\nconst n: number = 2\nexport default defineJob({\n  n: 1 + 1,\n} as object)".replace(
          'const n: number = 2\n',
          '',
        ),
      ),
    )
    expect(two.text).toBe(one.text)
    expect(two.sha256).toBe(one.sha256)
  })

  test('is another one for other code', async () => {
    const one = await bundleJob(await write('e/job.ts', 'export default 1'))
    const two = await bundleJob(await write('e/job.ts', 'export default 2'))
    expect(two.sha256).not.toBe(one.sha256)
  })

  test('names file and line of what does not parse or is not there', async () => {
    const syntax = await write('f/job.ts', 'const a = 1\nconst = 2\n')
    expect(await errorOf(bundleJob(syntax))).toMatchObject({
      code: 'JOB_LOAD_FAILED',
      details: { file: 'job.ts', line: 2, reason: expect.stringContaining('Expected identifier') },
    })
    const missing = await write('f/two.ts', "\n\nimport './none.ts'\n")
    expect(await errorOf(bundleJob(missing))).toMatchObject({ code: 'JOB_LOAD_FAILED', details: { file: 'two.ts', line: 3 } })
    expect(await errorOf(bundleJob(path.join(directory, 'nowhere.ts')))).toMatchObject({
      code: 'FILE_UNREADABLE',
      details: { reason: 'ENOENT' },
    })
    const awaits = await write('f/three.ts', 'await 1\nexport default 1')
    expect(await errorOf(bundleJob(awaits))).toMatchObject({ code: 'JOB_LOAD_FAILED', details: { line: 1 } })
  })

  test.each(['node:fs', 'fs', 'node:fs/promises', 'crypto', 'node:test'])('refuses to import %s, with file and line', async (api) => {
    const file = await write('g/job.ts', `import './helper.ts'\n`)
    await write('g/helper.ts', `\nimport * as x from '${api}'\nconsole.log(x)\n`)
    expect(await errorOf(bundleJob(file))).toMatchObject({
      code: 'API_NOT_ALLOWED',
      details: { api, file: 'helper.ts', line: 2 },
      fix: expect.stringContaining('topic'),
    })
  })

  test('takes types of Node for what they are: nothing at run time', async () => {
    const file = await write('h/job.ts', "import type { Stats } from 'node:fs'\nexport default { size: (s: Stats) => s.size }")
    expect((await bundleJob(file)).text).not.toContain('node:fs')
  })

  test('gives stack traces with the names and lines of the job files', async () => {
    await write('i/rules.ts', '\n\nexport function rule(): never {\n  throw new Error("broken rule")\n}\n')
    const job = await write(
      'i/job.ts',
      "import { defineJob } from 'reprise'\nimport { rule } from './rules.ts'\n\nexport default defineJob({\n  run: () => rule(),\n})\n",
    )
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', 'test/support/run-bundle.ts', job])
    expect(stdout).toContain(`${path.join(directory, 'i/rules.ts')}:4:9`)
    expect(stdout).toContain(`${path.join(directory, 'i/job.ts')}:5:14`)
  })
})

async function write(name: string, text: string): Promise<string> {
  const file = path.join(directory, name)
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, text)
  return file
}

async function errorOf(promise: Promise<unknown>): Promise<StreamError> {
  const settled = await promise.then(
    () => undefined,
    (error: StreamError) => error,
  )
  expect(settled).toBeDefined()
  return settled!
}
