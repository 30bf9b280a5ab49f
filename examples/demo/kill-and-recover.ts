import { bytesIn, type Run, readTopic, runAndKill, runToEnd, type Summary } from './reprise.ts'

export interface Disturbed {
  readonly summary: Summary
  /** What was committed when the process died, once for each kill. */
  readonly kills: readonly { readonly recordsIn: number; readonly recordsOut: number }[]
}

/** Shares of what an undisturbed run writes after which the process is killed, one life after the other. */
const killAt = [0.45, 0.7]

/**
 * Runs a job, kills its process in the middle of its work, as often as `killAt` says, then lets it come to its end.
 * @param wholeBytes how large the data directory of an undisturbed run is.
 */
export async function killAndRecover(
  run: Run,
  topics: { input: string; outputs: readonly string[] },
  wholeBytes: number,
): Promise<Disturbed> {
  const kills: { recordsIn: number; recordsOut: number }[] = []
  for (const share of killAt) {
    if (!(await runAndKill(run, () => bytesIn(run.dataDir) >= wholeBytes * share))) break
    const countOf = async (topic: string) => (await readTopic(run.dataDir, topic)).length
    let recordsOut = 0
    for (const topic of topics.outputs) recordsOut += await countOf(topic)
    kills.push({ recordsIn: await countOf(topics.input), recordsOut })
  }
  return { summary: await runToEnd(run), kills }
}
