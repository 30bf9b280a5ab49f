import { StreamError } from '../../engine/errors.ts'
import { jobTopics } from '../../engine/runtime/plan.ts'
import { partitionName, type Starts } from '../../engine/runtime/steering.ts'
import { type Change, changesOf } from '../../replay/deploy-plan.ts'
import { schemaBreaks } from '../../replay/schema-breaks.ts'
import { checkOutputs, type Writer } from '../output-owner.ts'
import type { InspectedJob } from './inspected-job.ts'
import type { JobController } from './job-controller.ts'
import { partsOf } from './job-parts.ts'
import { type Seam, seamBetween } from './seam.ts'

/** What the server has of the log for planning. */
interface PlanLog {
  topic(name: string): { readonly partitions: number } | undefined
  bounds(topic: string, partition: number): { readonly start: number; readonly end: number }
}

interface PlanJobs {
  /** Of those that are led. */
  readonly controllers: ReadonlyMap<string, JobController>
  writers(): Iterable<Writer>
}

export interface DeployPlan {
  readonly job: string
  /** The version that publishes now; undefined: this would be the first one, and publish at once. */
  readonly active: number | undefined
  readonly next: number
  readonly changes: readonly Change[]
  /** What readers of outputs would stumble over. */
  readonly schemaBreaks: readonly string[]
  /** Windows or times differ: at a switch, results of windows that are open then are as one of the versions saw them. */
  readonly seam: Seam
  readonly recordsToReplay: number
}

export interface PlanOptions {
  readonly allowSchemaChange: boolean
  readonly createTopics: boolean
  /** Where it is to begin. */
  readonly starts: Starts
}

/**
 * What deploying this job would do. Errors: TOPIC_UNKNOWN (a source), OUTPUT_OWNED, SCHEMA_INCOMPATIBLE, OFFSET_OUT_OF_RANGE (history is
 * not whole any more).
 */
export function planDeployment(
  log: PlanLog,
  inspected: InspectedJob,
  jobs: PlanJobs,
  { allowSchemaChange, createTopics, starts }: PlanOptions,
): DeployPlan {
  const { job } = inspected
  const controller = jobs.controllers.get(job)
  const active = controller?.control.owner
  const before = active === undefined ? undefined : controller?.inspected.get(active)
  checkOutputs(inspected.outputs, job, jobs.writers())
  let records = 0
  for (const { name } of inspected.sources) records += recordsOf(log, name, createTopics, starts)
  const breaks = before === undefined ? [] : outputBreaks(before, inspected)
  if (breaks.length > 0 && !allowSchemaChange) {
    throw new StreamError(
      'SCHEMA_INCOMPATIBLE',
      { job, breaks: breaks.join('; ') },
      { fix: 'keep the fields as they are; or --allow-schema-change' },
    )
  }
  const next = (controller?.control.registered?.version ?? 0) + 1
  return {
    job,
    active,
    next,
    changes: changesOf(before === undefined ? [] : partsOf(before), partsOf(inspected)).map((change) =>
      before !== undefined && change.what === 'output' && change.change === 'added' ? beginsAtSwitch(change, job, next) : change,
    ),
    schemaBreaks: breaks,
    seam:
      before === undefined
        ? { differs: [], changedWindows: [] }
        : seamBetween({ inspected: before, starts: controller!.version(active!).starts }, { inspected, starts }),
    recordsToReplay: records,
  }
}

function recordsOf(log: PlanLog, topic: string, createTopics: boolean, starts: Starts): number {
  const info = log.topic(topic)
  if (info === undefined) {
    if (createTopics) return 0
    throw new StreamError(
      'TOPIC_UNKNOWN',
      { topic, reason: 'the job reads it' },
      { fix: 'take records into it first, or make it empty: --create-topics' },
    )
  }
  let records = 0
  for (let partition = 0; partition < info.partitions; partition++) {
    const { start, end } = log.bounds(topic, partition)
    const offset = starts[partitionName(topic, partition)] ?? 0
    if (offset < start) {
      const fix = 'history was cut by retention: --from earliest-available begins with what is left; its state knows nothing of the rest'
      throw new StreamError('OFFSET_OUT_OF_RANGE', { topic, partition, offset, earliest: start, end }, { fix })
    }
    records += end - offset
  }
  return records
}

function outputBreaks(before: InspectedJob, after: InspectedJob): string[] {
  return before.outputs.flatMap((output) => {
    const now = after.outputs.find(({ name }) => name === output.name)
    if (now === undefined) return [`${output.name}: is written no more`]
    if (now.codec !== output.codec || now.kind !== output.kind)
      return [`${output.name}: ${output.kind} of ${output.codec} becomes ${now.kind} of ${now.codec}`]
    return schemaBreaks(output.schema, now.schema).map((text) => `${output.name} ${text}`)
  })
}

/** Of an output that the version publishing now does not have. */
function beginsAtSwitch(change: Change, job: string, version: number): Change {
  const before = jobTopics(job, version).privately(change.name)
  return { ...change, detail: `${change.detail}, begins at the switch; what comes before is in ${before}` }
}
