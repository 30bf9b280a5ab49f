import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { checkTypes } from '../../../deploy/type-check/type-check.ts'
import type { StreamError } from '../../../engine/errors.ts'

const packages = path.resolve(import.meta.dirname, '../../../node_modules')
const job = readFileSync(path.resolve(import.meta.dirname, '../../../examples/airport-delays/job.ts'), 'utf8')
const withoutWorst = job.replace(', worst: max((flight) => flight.delay)', '')
let top: string
/** A project of its own for each test, in which typescript and zod are installed. */
let project: string

beforeAll(async () => {
  top = await mkdtemp(path.join(tmpdir(), 'reprise-type-check-'))
})
afterAll(() => rm(top, { recursive: true }))
beforeEach(async () => {
  project = await mkdtemp(path.join(top, 'project-'))
  await mkdir(path.join(project, 'node_modules'))
  for (const name of ['typescript', 'zod']) await symlink(path.join(packages, name), path.join(project, 'node_modules', name))
})

describe('a job without a project', () => {
  test('that is right is checked, and leaves nothing behind', async () => {
    const folder = path.join(project, 'temporary')
    await mkdir(folder)
    vi.stubEnv('TMPDIR', folder)
    expect(await checkTypes(await write('job.ts', job))).toBe('checked')
    expect([readdirSync(project).sort(), readdirSync(folder)]).toEqual([['job.ts', 'node_modules', 'temporary'], []])
    vi.unstubAllEnvs()
  })

  test('whose rows lack a field of the output is refused, with the place', async () => {
    const { code, details, fix } = await refusal(await write('job.ts', withoutWorst))
    expect(code).toBe('TYPE_CHECK_FAILED')
    expect(details.more).toBe(undefined)
    expect(details.errors).toEqual([expect.stringMatching(/job\.ts:25:9 TS2345 .*Property 'worst' is missing in type/)])
    expect(path.resolve((details.errors as string[])[0]!.split(':')[0]!)).toBe(path.join(project, 'job.ts'))
    expect(fix).toContain('--no-type-check')
  })

  test('finds what it imports as the bundle does, and the names that jobs have', async () => {
    await write('near.ts', 'export const near: number = 1')
    await write('data.json', '{ "n": 1 }')
    const text = `import data from './data.json'
import { near } from './near'
import { near as same } from './near.ts'
console.log(near + same + data.n, new TextEncoder(), structuredClone(1))
${job}`
    expect(await checkTypes(await write('job.ts', text))).toBe('checked')
  })
})

describe('what counts', () => {
  test('are the files that the job imports, for their types alone too; not those beside it', async () => {
    await write('types.ts', 'export interface Row { n: number }\nexport const wrong: string = 1')
    await write('not-imported.ts', 'export const wrong: string = 1')
    const { details } = await refusal(
      await write('job.ts', `import type { Row } from './types.ts'\nexport const row: Row = { n: 1 }\n${job}`),
    )
    expect(details.errors).toEqual([expect.stringMatching(/types\.ts:2:14 TS2322 /)])
  })

  test('is nothing of a package', async () => {
    await write('node_modules/lib/package.json', '{ "name": "lib", "types": "index.ts" }')
    await write('node_modules/lib/index.ts', 'export const wrong: string = 1')
    expect(await checkTypes(await write('job.ts', `import { wrong } from 'lib'\nexport const text: string = wrong\n${job}`))).toBe(
      'checked',
    )
  })

  test('is told of the first ten, and how many more there are', async () => {
    const lines = Array.from({ length: 13 }, (_, n) => `export const n${n}: string = ${n}`).join('\n')
    const { details } = await refusal(await write('job.ts', lines))
    expect([(details.errors as string[]).length, details.more]).toEqual([10, 3])
  })
})

describe('a project', () => {
  test('says how strictly its jobs are checked', async () => {
    const file = await write('jobs/job.ts', `export function untyped(x) { return x }\n${job}`)
    expect((await refusal(file)).details.errors).toEqual([expect.stringContaining('TS7006')])
    await settings({ strict: false })
    expect(await checkTypes(file)).toBe('checked')
    await settings({ noUnusedLocals: true })
    await write('jobs/job.ts', `const unused = 1\n${job}`)
    expect((await refusal(file)).details.errors).toEqual([expect.stringContaining('TS6133')])
  })

  test('that writes files, and checks others, loses nothing by it', async () => {
    await write('src/other.ts', 'export const wrong: string = 1')
    await settings({
      ...{ composite: true, declaration: true, isolatedDeclarations: true, outDir: 'out', rootDir: 'src', tsBuildInfoFile: 'out/info' },
      types: ['node'],
    })
    await write('node_modules/@types/node/index.d.ts', 'declare const process: { version: string }')
    expect(await checkTypes(await write('jobs/job.ts', `export const node = process.version\n${job}`))).toBe('checked')
    expect(existsSync(path.join(project, 'out'))).toBe(false)
  })

  test('has declarations that nobody imports, paths of its own, and packages further up', async () => {
    await write('node_modules/in-words/package.json', '{ "name": "in-words", "types": "index.d.ts" }')
    await write('node_modules/in-words/index.d.ts', 'declare const words: string')
    await write('app/node_modules/near/index.d.ts', 'declare const near: string')
    await write('app/src/lib.ts', 'export const lib: string = words + near + declared')
    await write('app/src/env.d.ts', 'declare const declared: string')
    await write(
      'app/tsconfig.json',
      JSON.stringify({ compilerOptions: { ...base(), types: ['in-words', 'near'], paths: { ...base().paths, '#lib': ['./src/lib.ts'] } } }),
    )
    expect(await checkTypes(await write('app/jobs/job.ts', `import { lib } from '#lib'\nexport const text: string = lib\n${job}`))).toBe(
      'checked',
    )
  })

  test('whose settings are wrong is told so, by their place', async () => {
    await settings({ targett: 'es2022' })
    expect((await refusal(await write('job.ts', job))).details.errors).toEqual([expect.stringMatching(/tsconfig\.json:1:\d+ TS502\d /)])
  })
})

describe('nothing is checked', () => {
  test('where there is no typescript', async () => {
    await rm(path.join(project, 'node_modules/typescript'))
    expect(await checkTypes(await write('job.ts', withoutWorst))).toBe('no-compiler')
  })

  test('of a job in JavaScript', async () => {
    expect(await checkTypes(await write('job.mjs', 'export default 1 + {}.x'))).toBe('javascript')
  })
})

describe('a compiler', () => {
  test('that does not come to an end is ended, with all it began', async () => {
    const pid = path.join(project, 'pid')
    await compiler(`const { pid } = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
require('node:fs').writeFileSync(${JSON.stringify(pid)}, String(pid)); setInterval(() => {}, 1000)`)
    const { code, details } = await refusal(await write('job.ts', job), 1500)
    expect([code, details.reason]).toEqual(['TYPE_CHECK_FAILED', 'it took longer than 1.5 s'])
    const second = Number(await readFile(pid, 'utf8'))
    for (let tries = 0; alive(second) && tries < 100; tries++) await sleep(20)
    expect(alive(second)).toBe(false)
  })

  test('that fails is called so, in its words', async () => {
    await compiler("console.error('Unable to resolve @typescript/typescript-linux-x64.'); process.exit(1)")
    expect((await refusal(await write('job.ts', job))).details.reason).toBe('Unable to resolve @typescript/typescript-linux-x64.')
    await compiler('process.exit(3)')
    expect((await refusal(await write('job.ts', job))).details.reason).toBe('tsc ended with code 3')
  })
})

function refusal(file: string, ms?: number): Promise<StreamError> {
  return checkTypes(file, ms).then(
    () => Promise.reject(new Error('it was not refused')),
    (error: StreamError) => error,
  )
}

async function write(name: string, text: string): Promise<string> {
  const file = path.join(project, name)
  await mkdir(path.dirname(file), { recursive: true })
  await writeFile(file, text)
  return file
}

/** As of a project that uses reprise. */
function base() {
  const reprise = path.resolve(import.meta.dirname, '../../../index.ts')
  return { target: 'es2023', module: 'nodenext', strict: true, paths: { reprise: [reprise] } }
}

async function settings(more: object): Promise<void> {
  await write('tsconfig.json', JSON.stringify({ compilerOptions: { ...base(), ...more }, include: ['.'] }))
}

/** Instead of typescript. */
async function compiler(text: string): Promise<void> {
  await rm(path.join(project, 'node_modules/typescript'), { recursive: true })
  await write('node_modules/typescript/package.json', '{ "name": "typescript", "bin": { "tsc": "tsc.cjs" } }')
  await write('node_modules/typescript/tsc.cjs', text)
}

function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
