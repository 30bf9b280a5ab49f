import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { cpus } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BenchArguments, parseBenchArguments, usage } from './arguments.ts'
import { findPin, type Pin } from './pin.ts'
import { profileTable } from './profile.ts'
import { jsonLine, tableHead, tableLine } from './report.ts'
import type { Row, RowResult } from './row.ts'
import type { RowRequest } from './row-process.ts'
import { rows } from './rows.ts'

await main(readArguments())

async function main(args: BenchArguments): Promise<void> {
  const unknown = args.only.filter((name) => !rows.some((row) => row.name === name))
  if (unknown.length > 0) fail(`no row ${unknown.join(', ')}; there are ${rows.map(({ name }) => name).join(', ')}`)
  const pin = args.pin ? findPin() : undefined
  const say = (text: string) => process.stderr.write(`${text}\n`)
  say(`${cpus()[0]?.model.trim() ?? 'unknown processor'}, Node ${process.versions.node}, ${pinText(args, pin)}`)
  const dir = resolve(args.dir, `run-${process.pid}`)
  mkdirSync(dir, { recursive: true })
  try {
    if (!args.json) process.stdout.write(`${tableHead}\n`)
    for (const row of rows) {
      if (args.only.length > 0 && !args.only.includes(row.name)) continue
      say(`${row.name}: ${row.about}`)
      const result = await runRow(row, args, dir, pin)
      process.stdout.write(`${args.json ? jsonLine(row, result) : tableLine(row, result)}\n`)
      const profile = args.profile === undefined ? undefined : profilePath(args.profile, row)
      // Not every row can be profiled.
      if (profile !== undefined && existsSync(profile)) say(profileTable(profile))
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

/** In a process of its own. */
async function runRow(row: Row, args: BenchArguments, dir: string, pin: Pin | undefined): Promise<RowResult> {
  const profile = args.profile === undefined ? null : profilePath(args.profile, row)
  const request: RowRequest = { row: row.name, dir, records: args.records ?? row.records, repetitions: args.repetitions, profile }
  const script = fileURLToPath(new URL(`./row-process${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url))
  const node = [...process.execArgv, script, JSON.stringify(request)]
  const [command, commandArgs] = (row.allCores ? undefined : pin)?.wrap(process.execPath, node) ?? [process.execPath, node]
  const child = spawn(command, commandArgs, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  let result: RowResult | undefined
  child.on('message', (message) => {
    result = message as RowResult
  })
  const code = await new Promise<number | null>((done, failed) => child.on('error', failed).on('close', done))
  rmSync(join(dir, `row-${row.name}`), { recursive: true, force: true })
  if (code !== 0 || result === undefined) fail(`row ${row.name} ended with exit code ${code}`)
  return result
}

function profilePath(dir: string, row: Row): string {
  return join(resolve(dir), `${row.name}.cpuprofile`)
}

function pinText({ pin: wanted }: BenchArguments, pin: Pin | undefined): string {
  if (pin !== undefined) return `pinned to core ${pin.core}`
  return wanted ? 'NOT pinned to one core: no taskset on this machine' : 'not pinned to one core'
}

function readArguments(): BenchArguments {
  try {
    return parseBenchArguments(process.argv.slice(2))
  } catch (error) {
    return fail(`${(error as Error).message}\n${usage}`)
  }
}

function fail(text: string): never {
  process.stderr.write(`${text}\n`)
  process.exit(2)
}
