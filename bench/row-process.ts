import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { BareLoop } from './bare-loop.ts'
import { prepareInput } from './input.ts'
import { Profiler } from './profiler.ts'
import { rows } from './rows.ts'

/** What main.ts asks of the process of one row. */
export interface RowRequest {
  readonly row: string
  readonly dir: string
  readonly records: number
  readonly repetitions: number
  /** Of a CPU profile to write. */
  readonly profile: string | null
}

// Runs one row in this process, so that what other rows made the compiler learn does not count, and sends its result to the parent.
const { row: name, dir, records, repetitions, profile } = JSON.parse(process.argv[2]!) as RowRequest
const row = rows.find((each) => each.name === name)!
const inputDir = await prepareInput(dir, row.input, records)
const workDir = join(dir, `row-${name}`)
mkdirSync(workDir, { recursive: true })
const profiler = profile === null ? undefined : new Profiler(profile)
const result = await row.run({ workDir, inputDir, records, repetitions, bare: new BareLoop(), profiler })
process.send!(result)
process.disconnect()
