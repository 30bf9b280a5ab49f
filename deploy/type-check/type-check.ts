import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ErrorDetails, StreamError } from '../../engine/errors.ts'
import { packageFolder } from '../package-version.ts'
import { type CheckedJob, checkConfig } from './check-config.ts'
import { findTsc, runTsc, type TscRun } from './tsc.ts'
import { problemsOf, type TypeProblem } from './tsc-output.ts'

/** `no-compiler`: there is no typescript where the job is. `javascript`: there are no types to check. */
export type TypeCheck = 'checked' | 'no-compiler' | 'javascript'

const timeoutMs = 60_000
const shownMax = 10

/**
 * Has the job's own TypeScript check the job file and all it imports, by the settings of its project. What is wrong in packages is not the
 * job's, and is passed over.
 * @throws StreamError TYPE_CHECK_FAILED (details: errors, as `file:line:column code message`, and how many more; or file and reason).
 */
export async function checkTypes(file: string, ms = timeoutMs): Promise<TypeCheck> {
  if (!/\.[cm]?tsx?$/.test(file)) return 'javascript'
  const job = await realpath(file)
  const folder = path.dirname(job)
  const tsc = await findTsc(folder)
  if (tsc === undefined) return 'no-compiler'
  const run = async (...args: string[]): Promise<TscRun> => {
    const done = await runTsc(tsc, args, { folder, ms })
    if (!done.inTime) throw failed({ file, reason: `it took longer than ${ms / 1000} s` })
    return done
  }
  const temporary = await mkdtemp(path.join(await realpath(tmpdir()), 'reprise-types-'))
  try {
    const tsconfig = fromHereUp(folder)
      .map((each) => path.join(each, 'tsconfig.json'))
      .find(existsSync)
    const place = await seeingPackagesOf(tsconfig === undefined ? folder : path.dirname(tsconfig), temporary)
    const project = tsconfig === undefined ? noProject : projectOf(await run('--showConfig', '-p', tsconfig), path.dirname(tsconfig))
    const config = path.join(place, 'tsconfig.json')
    await writeFile(config, JSON.stringify(checkConfig({ job, tsconfig, ...project, reprise: typesOfReprise })))
    const { code, output } = await run('-p', config)
    const problems = problemsOf(output).map((problem) => placed(problem, folder, config))
    const own = problems.filter((problem) => isOfProject(problem, job))
    const errors = own.slice(0, shownMax).map(textOf)
    if (own.length > 0) throw failed({ errors, more: own.length - errors.length || undefined })
    if (code !== 0 && problems.length === 0) throw failed({ file, reason: output.trim().split('\n')[0] || `tsc ended with code ${code}` })
    return 'checked'
  } finally {
    await rm(temporary, { recursive: true })
  }
}

function failed(details: ErrorDetails): StreamError {
  return new StreamError('TYPE_CHECK_FAILED', details, { fix: 'mend what is named; --no-type-check deploys it as it is' })
}

/** A folder and all it lies in, the nearest first. */
function fromHereUp(folder: string): string[] {
  const parent = path.dirname(folder)
  return parent === folder ? [folder] : [folder, ...fromHereUp(parent)]
}

/**
 * Names of type packages are looked for from the settings on, and the settings lie elsewhere here.
 * @returns a folder in `temporary` from where the same packages are found as from `folder`.
 */
async function seeingPackagesOf(folder: string, temporary: string): Promise<string> {
  let place = temporary
  const folders = fromHereUp(folder).map((each) => path.join(each, 'node_modules'))
  for (const packages of folders.filter(existsSync).reverse()) {
    place = path.join(place, 'in')
    await mkdir(place)
    await symlink(packages, path.join(place, 'node_modules'), 'junction')
  }
  return place
}

type Project = Pick<CheckedJob, 'ambient' | 'isolated'>

const noProject: Project = { ambient: [], isolated: false }

/** What matters of a project's settings, as the compiler shows them. Nothing when they can't be read: the check itself tells why. */
function projectOf({ output }: TscRun, folder: string): Project {
  try {
    const { files = [], compilerOptions = {} } = JSON.parse(output) as Shown
    const ambient = files.filter((name) => /\.d\.[cm]?ts$/.test(name)).map((name) => path.resolve(folder, name))
    return { ambient, isolated: compilerOptions.isolatedDeclarations === true }
  } catch {
    return noProject
  }
}

interface Shown {
  readonly files?: readonly string[]
  readonly compilerOptions?: { readonly isolatedDeclarations?: boolean }
}

/** With an absolute path. What is said of our own settings is about none of the user's files. */
function placed({ file, ...problem }: TypeProblem, folder: string, config: string): TypeProblem {
  const absolute = file === undefined ? undefined : path.resolve(folder, file)
  return { ...problem, file: absolute === config ? undefined : absolute }
}

/** Not of a package, nor of Reprise: it may be checked from its sources. */
function isOfProject({ file }: TypeProblem, job: string): boolean {
  if (file === undefined) return true
  return !file.split(path.sep).includes('node_modules') && (!isOurs(file) || isOurs(job))
}

function isOurs(file: string): boolean {
  const folder = packageFolder()
  return folder !== undefined && file.startsWith(fileURLToPath(folder))
}

function textOf({ file, line, column, code, message }: TypeProblem): string {
  const where = file === undefined ? '' : `${path.relative('', file)}:${line}:${column} `
  return `${where}${code} ${message}`
}

/** Beside this build, as declarations; or the sources. */
const typesOfReprise = (() => {
  const top = fileURLToPath(new URL('../../', import.meta.url))
  const ending = import.meta.url.endsWith('.ts') ? '.ts' : '.d.ts'
  return { index: path.join(top, `index${ending}`), testing: path.join(top, `testing${ending}`) }
})()
