import { newestLogFile, type Run, recordCounts, runAndKill, runToEnd, type Summary } from './reprise.ts'

/** What an undisturbed run writes. */
export interface Written {
  readonly inputBytes: number
  readonly outputBytes: number
}

/**
 * Runs a job and kills its process three times: while it takes the input in, in the first commits of results, in later ones. Then lets it
 * come to its end. Where exactly a process dies depends on the machine; the results must not.
 * @param onKill is told how many records of each topic the log holds after a kill.
 */
export async function killAndRecover(
  run: Run,
  { inputBytes, outputBytes }: Written,
  onKill: (committed: Readonly<Record<string, number>>) => void,
): Promise<Summary> {
  for (const bytes of [inputBytes * 0.4, inputBytes * 0.6 + outputBytes * 0.3, outputBytes * 0.3]) {
    const before = newestLogFile(run.dataDir).name
    const due = () => {
      const newest = newestLogFile(run.dataDir)
      return newest.name !== before && newest.bytes >= bytes
    }
    if (!(await runAndKill(run, due))) break
    onKill(await recordCounts(run.dataDir))
  }
  return runToEnd(run)
}
