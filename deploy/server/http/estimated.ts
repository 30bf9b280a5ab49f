import { alive } from '../../../replay/control-state.ts'
import type { DeployPlan } from '../deployments.ts'
import type { JobController } from '../job-controller.ts'
import { type Output, type Pace, type ReplayEstimate, replayEstimate } from '../replay-estimate.ts'
import type { RepriseServer } from '../server.ts'

/** What the replay that is planned takes. @param limit records a second it may take; null: no limit. */
export async function estimated(
  server: RepriseServer,
  { job, recordsToReplay }: DeployPlan,
  limit: number | null,
): Promise<ReplayEstimate> {
  const controller = server.controllers.get(job)
  if (controller === undefined) return replayEstimate(recordsToReplay, [], undefined, limit)
  return replayEstimate(recordsToReplay, await pacesOf(server, controller), outputOf(server, controller), limit)
}

function pacesOf({ metrics }: RepriseServer, { job, control, readiness }: JobController): Promise<Pace[]> {
  const versions = [...control.versions.values()].filter(alive)
  return Promise.all(
    versions.map(async ({ version }) => {
      const labels = { job, version: `v${version}` }
      return {
        version,
        behind: readiness.observer(version).behind,
        busy: {
          records: await metrics.total('reprise_records_in_total', labels),
          seconds: await metrics.total('reprise_processing_duration_seconds', labels),
        },
      }
    }),
  )
}

/** What is public came of all that the version that publishes has taken, whoever published it. Undefined: it is not known how much that is. */
function outputOf({ log }: RepriseServer, controller: JobController): Output | undefined {
  const owner = controller.control.owner
  const facts = owner === undefined ? undefined : controller.facts(owner)
  if (owner === undefined || facts === undefined) return undefined
  const { starts } = controller.version(owner)
  let [records, bytes] = [0, 0]
  for (const [name, position] of facts.positions) records += position - (starts[name] ?? 0)
  for (const topic of controller.outputsOf(owner)) bytes += log.bytesOf(topic)
  return { records, bytes }
}
