import { z } from 'zod'
import { StreamError } from '../../../engine/errors.ts'
import { type PlanOptions, planDeployment } from '../deployments.ts'
import type { InspectedJob } from '../inspected-job.ts'
import type { RepriseServer } from '../server.ts'
import { type From, startsOf } from '../starts.ts'

/** Where a replay is to begin, as a client says it. */
export const fromRequest = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('zero') }),
  z.strictObject({ type: z.literal('earliest-available') }).describe('What retention has left'),
  z.strictObject({ type: z.literal('timestamp'), at: z.iso.datetime({ offset: true }) }).describe('Records appended then or later'),
  z
    .strictObject({ type: z.literal('offsets'), offsets: z.record(z.string().max(300), z.number().int().nonnegative()) })
    .describe('By source partition, as flights/0; 0 where none is named'),
])

interface PlanRequest extends Omit<PlanOptions, 'starts'> {
  readonly from: z.infer<typeof fromRequest>
  readonly promote: 'manual' | 'auto'
}

/**
 * What deploying this job from there would do, and the offsets that means. Errors: those of startsOf and planDeployment; CUT_OVER_SEAM where it is to
 * take over by itself and no switch would be exact.
 */
export async function planned(server: RepriseServer, inspected: InspectedJob, { from, promote, ...options }: PlanRequest) {
  const sources = inspected.sources.map(({ name }) => name)
  const starts = await startsOf(server.log, sources, fromOf(from))
  const plan = planDeployment(server.log, inspected, server, { ...options, starts })
  const { active, seam } = plan
  if (promote === 'auto' && seam.differs.length > 0) {
    throw new StreamError(
      'CUT_OVER_SEAM',
      { job: plan.job, from: active, to: plan.next, reason: 'it would never take over by itself', differs: seam.differs.join('; ') },
      { fix: `deploy it without --promote auto, and once it has caught up: reprise promote ${plan.job} --allow-seam` },
    )
  }
  return { starts, plan }
}

function fromOf(request: z.infer<typeof fromRequest>): From {
  return request.type === 'timestamp' ? { type: 'timestamp', at: Date.parse(request.at) } : request
}
