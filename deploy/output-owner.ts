import { StreamError } from '../engine/errors.ts'
import { outputTopics, type Topology } from '../engine/model/topology.ts'
import type { Log, LogView } from '../engine/ports/log.ts'
import { silentLogger } from '../engine/ports/world.ts'
import { jobsOf, readControl } from '../replay/control-log.ts'
import { alive } from '../replay/control-state.ts'
import { BundleStore } from './bundle-store.ts'
import { jobOfBundle } from './load-job-file.ts'

/** A job, as far as it matters to whoever would write a topic too. */
export interface Writer {
  readonly job: string
  /** It is an output of any of its versions that are alive. */
  writes(topic: string): boolean
  /** The job reads it, and was told that no more comes. */
  seals(topic: string): boolean
  /** Why it can't be led; undefined: it is. */
  readonly unled?: string
}

/** OUTPUT_OWNED when another job writes what this one is to write. */
export function checkOutputs(topics: Iterable<{ readonly name: string }>, job: string, writers: Iterable<Writer>): void {
  const others = [...writers].filter((writer) => writer.job !== job)
  for (const { name } of topics) {
    const owner = others.find((writer) => writer.writes(name))
    if (owner !== undefined) throw owned(name, owner, `write to another topic, or make it an output of ${owner.job}`)
  }
}

/** OUTPUT_OWNED when a job writes the topic that records are to be taken into. */
export function checkNoOutput(topic: string, writers: Iterable<Writer>): void {
  for (const writer of writers) {
    if (writer.writes(topic)) throw owned(topic, writer, 'take records into a topic that no job writes')
  }
}

/**
 * L6 of a job that can't be led: what its versions write is told by their private topics. Without any it is not known, and may be all that no job
 * writes that is led.
 */
export function unledWriter(log: LogView, job: string, unled: string, led: Iterable<Writer>): Writer {
  const own = `${job}.v`
  const known = log
    .topics()
    .flatMap(({ name }) => (name.startsWith(own) ? (/^\d+\.private\.(.+)$/.exec(name.slice(own.length))?.[1] ?? []) : []))
  const writes = (topic: string) => (known.length > 0 ? known.includes(topic) : ![...led].some((writer) => writer.writes(topic)))
  return { job, writes, seals: () => false, unled }
}

/** The jobs that a log knows, by their code in it. Errors: LOG_CORRUPT, those of loadJob. */
export async function writersIn(log: Log): Promise<Writer[]> {
  const bundles = new BundleStore(log)
  const writers: Writer[] = []
  for (const job of jobsOf(log)) {
    const outputs = new Set<string>()
    const { versions, sealed } = await readControl(log, job)
    for (const version of versions.values()) {
      if (!alive(version)) continue
      const { load } = await jobOfBundle(await bundles.get(version.sha256), silentLogger)
      for (const name of outputsOf(load().topology)) outputs.add(name)
    }
    writers.push({ job, writes: (topic) => outputs.has(topic), seals: (topic) => sealed?.includes(topic) === true })
  }
  return writers
}

/** Names of the public topics a job writes, each once. */
export function outputsOf(topology: Topology): string[] {
  return [...new Set(outputTopics(topology).map(({ name }) => name))]
}

function owned(topic: string, { job, unled }: Writer, fix: string): StreamError {
  if (unled === undefined) return new StreamError('OUTPUT_OWNED', { topic, job }, { fix })
  const reason = `the job can't be led, and may write it: ${unled}`
  return new StreamError(
    'OUTPUT_OWNED',
    { topic, job, reason },
    { fix: `mend what reprise doctor says of ${job}, and start the server again; or ${fix}` },
  )
}
