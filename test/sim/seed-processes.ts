import { execFile } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { Coverage } from './coverage.ts'

/** Runs of a script that takes bounds of seeds and prints failures and counts, see run-seeds.ts; new processes again and again: one keeps what dead lives wait for. */
export async function runInProcesses(
  script: string,
  { from, seeds, seedsOfProcess }: { readonly from: number; readonly seeds: number; readonly seedsOfProcess: number },
): Promise<Coverage> {
  const coverage = new Coverage()
  const failures: string[] = []
  let next = from
  const worker = async () => {
    while (next < from + seeds) {
      const first = next
      next = Math.min(next + seedsOfProcess, from + seeds)
      const { stdout } = await promisify(execFile)('npx', ['tsx', script, String(first), String(next)], { maxBuffer: 1 << 26 })
      const found = JSON.parse(stdout) as { failures: string[]; counts: [string, number][] }
      failures.push(...found.failures)
      for (const [what, count] of found.counts) coverage.count(what, count)
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, worker))
  expect(failures.join('\n\n')).toBe('')
  return coverage
}
