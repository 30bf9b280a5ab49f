import { StreamError } from '../engine/errors.ts'
import type { Totals } from '../engine/model/slice.ts'
import { outputTopics, type TopicDefinition, type Topology } from '../engine/model/topology.ts'
import type { Logger, Metrics, Probe } from '../engine/ports/world.ts'
import { runJob, totalsOf } from '../engine/runtime/job-run.ts'
import { jobTopics, planJob } from '../engine/runtime/plan.ts'
import { defaultRuntimeSettings, type RuntimeSettings } from '../engine/runtime/settings.ts'
import type { RunUntil } from '../engine/runtime/task-life.ts'
import { fingerprint } from '../operators/fingerprint.ts'
import { decide, readControl } from '../replay/control-log.ts'
import type { ControlState } from '../replay/control-state.ts'
import { BundleStore } from './bundle-store.ts'
import type { DataDirectory } from './data-directory.ts'
import { cellTypesOf } from './ingest/csv-cell.ts'
import type { InputFormat } from './ingest/input-format.ts'
import type { ReadOptions } from './ingest/input-record.ts'
import { checkTakesRecords } from './ingest/open-topic.ts'
import { checkKnown, refusalOf } from './ingest/sealed-topic.ts'
import { readerOf, takeIn } from './ingest/take-in.ts'
import type { JobFile } from './load-job-file.ts'
import { outputDigest } from './output-digest.ts'
import { checkOutputs, outputsOf, type Writer, writersIn } from './output-owner.ts'
import { realClock } from './real-clock.ts'

export interface IngestRequest {
  readonly topic: string
  readonly file: string
  readonly format?: InputFormat
  readonly sourceId?: string
}

export interface RunRequest {
  readonly job: JobFile
  readonly data: DataDirectory
  readonly ingest: readonly IngestRequest[]
  /** By topic, for those that don't exist yet. */
  readonly partitions: Readonly<Record<string, number>>
  /** Tasks of each stage; absent: as the job began, 1 for a new one. */
  readonly parallelism?: number
  readonly until: RunUntil
  readonly settings?: Partial<RuntimeSettings>
  readonly logger: Logger
  readonly metrics: Metrics
  readonly probe: Probe
  /** Aborted once: stop cleanly. */
  readonly stop: AbortSignal
  readonly onTaken?: (topic: string, records: number, share: number | undefined) => void
  /** Lines of input files that are no records: `fail` (default) throws, a function is told and the line is left out. */
  readonly onBad?: ReadOptions['onBad']
  readonly onProgress?: (totals: Totals) => void
}

/** What a run says at its end; counts since the job began. */
export interface RunSummary {
  readonly job: string
  readonly version: number
  readonly sealed: boolean
  readonly in: number
  readonly processed: number
  readonly skipped: number
  readonly deadLettered: number
  /** Derived records that were skipped or set aside (docs/glossary.md); not among those above, which count each source record once, in its turn. */
  readonly derived: Totals['derived']
  readonly late: number
  readonly lateByReason: Totals['late']
  /** Records written, by topic: of the job's outputs, late records and dead letters. */
  readonly out: Readonly<Record<string, number>>
  /** Records taken in by this run, per second of it; null when it took none. */
  readonly recordsPerSecond: number | null
  readonly seconds: number
  /** See outputDigest. */
  readonly outputDigest: string
}

const version = 1

/** Takes the input in, runs the job, says what came of it. Errors: JOB_CHANGED, JOB_SEALED, OUTPUT_OWNED, those of takeIn and runJob. */
export async function runOnEmbeddedLog(request: RunRequest): Promise<RunSummary> {
  const { job, data, stop } = request
  const { log } = data
  const { topology } = job.load()
  const writers = await writersIn(log)
  // BEFORE it is registered: from then on it owns what it writes.
  checkOutputs(outputTopics(topology), topology.job, writers)
  let control = await register(request, topology)
  const { parallelism, starts } = control.registered!
  await takeInAll(request, topology, writers)
  if (request.until === 'complete' && control.sealed === undefined && !stop.aborted) {
    // BEFORE what is open fires: whoever goes on after a crash must not take more input in.
    const sources = sourcesOf(topology).map(({ name }) => name)
    control = await decide(log, topology.job, control, { type: 'sealed', at: realClock.now(), version, sources })
  }
  const recovered = log.topic(jobTopics(topology.job, version).journal) === undefined ? 0 : (await committedTotals()).in
  const progress = new Map<number, Totals>()
  const from = realClock.monotonic()
  const totals = await runJob({
    load: () => job.load(),
    version,
    parallelism,
    starts,
    log,
    openState: (task, plan, present) => data.openState(task, plan, present),
    clock: realClock,
    logger: request.logger,
    metrics: request.metrics,
    probe: request.probe,
    settings: { ...defaultRuntimeSettings, ...request.settings },
    until: control.sealed === undefined ? request.until : 'complete',
    stop,
    onProgress: (task, own) => {
      progress.set(task, own)
      request.onProgress?.(sum([...progress.values()]))
    },
  })
  const seconds = (realClock.monotonic() - from) / 1000
  const records = totals.in - recovered
  return {
    job: topology.job,
    version,
    sealed: control.sealed !== undefined,
    in: totals.in,
    processed: totals.processed,
    skipped: totals.skipped,
    deadLettered: totals.deadLettered,
    derived: totals.derived,
    late: totals.late.late + totals.late.idle + totals.late.clock,
    lateByReason: totals.late,
    out: shownOutputs(topology, totals),
    recordsPerSecond: records === 0 ? null : Math.round(records / seconds),
    seconds: Math.round(seconds * 1000) / 1000,
    outputDigest: await outputDigest(log, outputsOf(topology)),
  }

  function committedTotals(): Promise<Totals> {
    return totalsOf(
      log,
      planJob(topology, version, parallelism, (topic) => log.topic(topic)?.partitions ?? 1),
    )
  }
}

/** The first run registers the code; later ones must bring the same. */
async function register({ job, data, parallelism }: RunRequest, topology: Topology): Promise<ControlState> {
  const control = await readControl(data.log, topology.job)
  const { registered } = control
  const own = {
    version,
    sha256: job.bundle.sha256,
    parallelism: parallelism ?? registered?.parallelism ?? 1,
    fingerprint: fingerprint(topology),
  }
  if (control.versions.size > 1) {
    throw new StreamError(
      'JOB_CHANGED',
      { job: topology.job, reason: `it has ${control.versions.size} versions by now, which a server runs beside each other` },
      { fix: 'reprise server --data <dir>, and reprise deploy for another version' },
    )
  }
  if (registered === undefined) {
    // A server that takes the directory over finds its code there.
    await new BundleStore(data.log).put(job.bundle, realClock.now())
    return decide(data.log, topology.job, control, { type: 'registered', at: realClock.now(), ...own })
  }
  const changed =
    registered.sha256 !== own.sha256
      ? `its code (${registered.sha256.slice(0, 12)}) is not the code now (${own.sha256.slice(0, 12)})`
      : registered.parallelism !== own.parallelism
        ? `it began with parallelism ${registered.parallelism}, now ${own.parallelism} is asked for`
        : undefined
  if (changed !== undefined) {
    throw new StreamError(
      'JOB_CHANGED',
      { job: topology.job, reason: changed },
      {
        fix: 'go on with the former code and parallelism; or let the new code recompute everything from the same input in a directory of its own: --data <another directory> --ingest ...',
      },
    )
  }
  return control
}

async function takeInAll(
  { data, ingest, partitions, stop, onTaken, onBad = 'fail' }: RunRequest,
  topology: Topology,
  writers: readonly Writer[],
): Promise<void> {
  const sources = sourcesOf(topology)
  for (const topic of [...Object.keys(partitions), ...ingest.map((one) => one.topic)]) {
    if (sources.some(({ name }) => name === topic)) continue
    throw new StreamError(
      'TOPIC_UNKNOWN',
      { topic, reason: 'the job does not read it' },
      { fix: `the job reads ${sources.map(({ name }) => name).join(', ')}` },
    )
  }
  // ALL of them before the first file, as for the names.
  const others = writers.filter(({ job }) => job !== topology.job)
  for (const one of ingest) {
    checkTakesRecords(data.log, one.topic, others)
    await checkKnown(data.log, one, writers)
  }
  for (const { name, kind, ...definition } of sources) {
    const existing = data.log.topic(name)
    const wanted = partitions[name] ?? existing?.partitions ?? definition.partitions ?? 1
    await data.log.createTopic({
      ...(existing === undefined ? definition.keep : {}),
      name,
      kind: existing?.kind ?? kind,
      partitions: wanted,
    })
  }
  for (const { topic, file, format, sourceId } of ingest) {
    const definition = sources.find(({ name }) => name === topic)!
    if (stop.aborted) return
    await takeIn({
      log: data.log,
      topic,
      file,
      onBad,
      read: readerOf(definition),
      refusal: refusalOf(topic, writers),
      types: cellTypesOf(definition.codec),
      clock: realClock,
      ...(format === undefined ? {} : { format }),
      ...(sourceId === undefined ? {} : { sourceId }),
      stop,
      onTaken: (records, share) => onTaken?.(topic, records, share),
    })
  }
}

function shownOutputs(topology: Topology, totals: Totals): Record<string, number> {
  const { late, deadLetters } = jobTopics(topology.job, version)
  const shown: Record<string, number> = {}
  for (const name of outputsOf(topology)) shown[name] = totals.out[name] ?? 0
  for (const name of [late, deadLetters]) if (totals.out[name] !== undefined) shown[name] = totals.out[name]
  return shown
}

function sourcesOf(topology: Topology): TopicDefinition[] {
  return topology.nodes.flatMap((node) => (node.kind === 'source' ? [node.topic] : []))
}

function sum(all: readonly Totals[]): Totals {
  const first = structuredClone(all[0]!)
  for (const totals of all.slice(1)) {
    first.in += totals.in
    first.processed += totals.processed
    for (const [topic, count] of Object.entries(totals.out)) first.out[topic] = (first.out[topic] ?? 0) + count
  }
  return first
}
