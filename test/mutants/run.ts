import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'

/** One thing done wrong on purpose, and the test that must see it. */
interface Mutant {
  readonly name: string
  readonly file: string
  /** Must be there exactly once. */
  readonly find: string
  readonly replace: string
  readonly test: string
  /** The test's name, or a part of it. */
  readonly testName?: string
  /** Seed of the simulation that sees it. */
  readonly seedHint?: string
  readonly env?: Readonly<Record<string, string>>
  /** Part of the small set that every change is tried on. */
  readonly core?: boolean
}

type Verdict = 'killed' | 'killed by another seed' | 'SURVIVED' | 'NOT FOUND' | 'TIMED OUT'

const usage = `npm run mutants [-- --core] [-- list or part of a name ...]
Breaks the code in known ways, each in a copy of the tree, and runs the test that must fail. Exit code 1: one survived, or its place is gone.
`
const root = path.resolve(import.meta.dirname, '../..')
const timeoutMs = 300_000
const copied = [
  'bench',
  'deploy',
  'engine',
  'examples',
  'operators',
  'replay',
  'state',
  'test',
  'index.ts',
  'testing.ts',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
]

const words = process.argv.slice(2)
if (words.includes('--help')) {
  process.stdout.write(usage)
  process.exit(0)
}
process.exitCode = (await main(
  words.filter((word) => word !== '--core'),
  words.includes('--core'),
))
  ? 0
  : 1

async function main(wanted: readonly string[], coreOnly: boolean): Promise<boolean> {
  const mutants = readLists().filter(({ list, mutant }) => {
    if (coreOnly && mutant.core !== true) return false
    return wanted.length === 0 || wanted.some((word) => list === word || mutant.name.includes(word))
  })
  const startedAt = Date.now()
  const copies = Array.from({ length: Math.min(availableParallelism(), mutants.length) }, copyTree)
  try {
    const baselines = new Map(mutants.map(({ mutant }) => [commandOf(mutant), mutant]))
    const broken = await spread([...baselines.values()], copies, async (mutant, copy) =>
      (await runTest(mutant, copy)) === 'passed' ? undefined : mutant,
    )
    const red = broken.filter((mutant) => mutant !== undefined)
    for (const mutant of red) process.stdout.write(`FAILS WITHOUT A MUTANT: ${commandOf(mutant)}\n`)
    if (red.length > 0) return false
    const verdicts = await spread(mutants, copies, async ({ list, mutant }, copy) => {
      const began = Date.now()
      const verdict = await tryMutant(mutant, copy)
      process.stdout.write(
        `${verdict.padEnd(9)} ${list}: ${mutant.name} (${((Date.now() - began) / 1000).toFixed(1)} s, ${commandOf(mutant)})\n`,
      )
      return verdict
    })
    const killed = verdicts.filter((verdict) => verdict.startsWith('killed')).length
    process.stdout.write(`${killed} of ${mutants.length} mutants killed, ${Math.round((Date.now() - startedAt) / 1000)} s\n`)
    return killed === mutants.length && mutants.length > 0
  } finally {
    for (const copy of copies) rmSync(copy, { recursive: true })
  }
}

function readLists(): { list: string; mutant: Mutant }[] {
  const files = readdirSync(import.meta.dirname)
    .filter((file) => file.endsWith('.json'))
    .sort()
  return files.flatMap((file) => {
    const mutants = JSON.parse(readFileSync(path.join(import.meta.dirname, file), 'utf8')) as Mutant[]
    return mutants.map((mutant) => ({ list: file.replace('.json', ''), mutant }))
  })
}

function copyTree(): string {
  const copy = mkdtempSync(path.join(tmpdir(), 'reprise-mutant-'))
  const present = readdirSync(root)
  for (const name of copied) if (present.includes(name)) cpSync(path.join(root, name), path.join(copy, name), { recursive: true })
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'))
  return copy
}

async function tryMutant(mutant: Mutant, copy: string): Promise<Verdict> {
  const file = path.join(copy, mutant.file)
  const original = readFileSync(file, 'utf8')
  if (original.split(mutant.find).length !== 2) return 'NOT FOUND'
  writeFileSync(
    file,
    original.replace(mutant.find, () => mutant.replace),
  )
  try {
    const result = await runTest(mutant, copy)
    if (result !== 'passed') return result === 'failed' ? 'killed' : 'TIMED OUT'
    if (!mutant.seedHint) return 'SURVIVED'
    // What a seed makes happen changes with the code that draws from it.
    const others = { ...mutant, seedHint: '', env: { ...mutant.env, SIM_SEEDS: '300' } }
    return (await runTest(others, copy)) === 'failed' ? 'killed by another seed' : 'SURVIVED'
  } finally {
    writeFileSync(file, original)
  }
}

/** A run that does not come to its end within the time counts for neither. */
function runTest(mutant: Mutant, cwd: string): Promise<'passed' | 'failed' | 'timed out'> {
  const vitest = path.join(root, 'node_modules/vitest/vitest.mjs')
  const filter = mutant.testName === undefined ? [] : ['-t', mutant.testName]
  const env = { ...process.env, ...(mutant.seedHint ? { SIM_SEED: mutant.seedHint } : {}), ...mutant.env }
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [vitest, 'run', mutant.test, '--bail', '1', ...filter], { cwd, env, stdio: 'ignore' })
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      resolve('timed out')
    }, timeoutMs)
    child.on('error', reject)
    child.on('exit', (code) => {
      clearTimeout(timer)
      resolve(code === 0 ? 'passed' : 'failed')
    })
  })
}

function commandOf({ test, testName, seedHint, env = {} }: Mutant): string {
  const set = Object.entries({ ...(seedHint ? { SIM_SEED: seedHint } : {}), ...env }).map(([name, value]) => `${name}=${value}`)
  return [...set, 'npx vitest run', test, ...(testName === undefined ? [] : [`-t '${testName}'`])].join(' ')
}

/** Gives each worker the next item when it is free; results in the order of the items. */
async function spread<T, R>(items: readonly T[], copies: readonly string[], work: (item: T, copy: string) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(items.length)
  let next = 0
  await Promise.all(
    copies.map(async (copy) => {
      while (next < items.length) {
        const i = next++
        results[i] = await work(items[i]!, copy)
      }
    }),
  )
  return results
}
