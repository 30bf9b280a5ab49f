import { z } from 'zod'
import { StreamError } from '../../../engine/errors.ts'
import type { CutOver } from '../../../replay/control-event.ts'
import type { JobController } from '../job-controller.ts'
import type { Operation } from '../operations.ts'
import type { RepriseServer } from '../server.ts'
import { cutOverView, iso, viewOfCommonEnds, viewOfPositions } from '../views.ts'
import { wrongState } from '../wrong-state.ts'
import { askedOf, ofJob, reason, versionNumber } from './job-requests.ts'
import { operationView, viewOfOperation } from './operation-routes.ts'
import { problems } from './problem.ts'
import { type App, whoAsks } from './typed-app.ts'

const dryRunView = z.object({
  job: z.string(),
  from: z.number(),
  to: z.number(),
  positions: z.record(z.string(), z.string()).describe('Where it would switch, or later'),
  gates: z.array(z.object({ name: z.string(), pass: z.boolean(), found: z.string(), limit: z.string() })),
  seam: z.array(z.string()).describe('In which words the versions differ in how they cut time, so that no switch is exact'),
  changedWindows: cutOverView.shape.changedWindows,
  wouldSucceed: z.boolean(),
  blockedBy: z
    .array(z.object({ code: z.string(), message: z.string(), fix: z.string() }))
    .describe('What it would be refused for, and the command that helps'),
  pause: z
    .object({ cutOvers: z.number(), lowMs: z.number(), highMs: z.number() })
    .nullable()
    .describe('How long the publication stood still in the last cut-overs of this job, three at most; null: there was none yet'),
  wayBackUntil: z.string().describe('How long the former version runs on'),
})

export function cutOverRoutes(app: App, server: RepriseServer): void {
  const body = z.strictObject({
    version: versionNumber.optional().describe('Default: the newest candidate'),
    dryRun: z.boolean().default(false),
    force: z.boolean().default(false).describe('Although it is not caught up'),
    allowSeam: z.boolean().default(false).describe('Although the switch is not exact'),
    waitMs: z.number().int().min(0).max(86_400_000).default(60_000).describe('How long to wait for a common end of changed windows'),
    reason,
  })
  const config = { scope: 'operator' } as const
  const response = { 200: dryRunView, 202: operationView, ...problems }
  app.post(
    '/api/v1/jobs/:job/promote',
    { config, schema: { summary: 'Hand the public topics to a version', params: ofJob, body, response } },
    async (request, reply) => {
      const controller = server.known(request.params.job)
      const to = request.body.version ?? candidateOf(controller)
      const done = cutOverTo(server, 'promote', controller, to, request.body, whoAsks(request))
      if ('dryRun' in done) return reply.status(200).send(done.dryRun)
      return reply.status(202).header('location', done.location).send(done.operation)
    },
  )
  app.post(
    '/api/v1/jobs/:job/rollback',
    {
      config,
      schema: {
        summary: 'Hand the public topics back to the version that had them before',
        params: ofJob,
        body: body.extend({ version: versionNumber.optional().describe('Default: that version. Refused where it is another one') }),
        response,
      },
    },
    async (request, reply) => {
      const controller = server.known(request.params.job)
      const to = wayBackOf(controller, request.body.version)
      const done = cutOverTo(server, 'rollback', controller, to, request.body, whoAsks(request))
      if ('dryRun' in done) return reply.status(200).send(done.dryRun)
      return reply.status(202).header('location', done.location).send(done.operation)
    },
  )
}

function cutOverTo(
  server: RepriseServer,
  kind: Operation['kind'],
  controller: JobController,
  to: number,
  { dryRun, reason, ...how }: { dryRun: boolean; force: boolean; allowSeam: boolean; waitMs: number; reason?: string | undefined },
  by: string,
) {
  if (dryRun) return { dryRun: viewOfDryRun(server, controller, { version: to, ...how }) }
  const request = { version: to, ...how, asked: askedOf(by, reason) }
  controller.switching.check(request)
  const operation = server.operations.start(kind, { job: controller.job, version: to }, (id) =>
    controller.switching.promote({ ...request, operation: id }).then(viewOfCutOver),
  )
  return { operation: viewOfOperation(operation), location: `/api/v1/operations/${operation.id}` }
}

function viewOfDryRun(
  server: RepriseServer,
  controller: JobController,
  how: { version: number; force: boolean; allowSeam: boolean },
): z.infer<typeof dryRunView> {
  const { version: to } = how
  controller.switching.checkRole(to)
  const blockedBy = controller.switching.blockedBy(how)
  const owner = controller.control.owner!
  const { differs } = controller.switching.seam(to)
  const gates = controller.readiness.gates(to).map(({ name, pass, found, limit }) => ({ name, pass, found, limit }))
  return {
    job: controller.job,
    from: owner,
    to,
    positions: viewOfPositions(controller.facts(owner)?.positions ?? []),
    gates,
    seam: [...differs],
    changedWindows: viewOfCommonEnds(controller.switching, to),
    wouldSucceed: blockedBy.length === 0,
    blockedBy: blockedBy.map(({ code, message, fix = '' }) => ({ code, message, fix })),
    pause: pauseOf(controller.control.switches),
    wayBackUntil: iso(Date.now() + server.bakeMs),
  }
}

function pauseOf(switches: readonly CutOver[]): z.infer<typeof dryRunView>['pause'] {
  const held = switches.flatMap(({ heldMs }) => heldMs ?? []).slice(-3)
  return held.length === 0 ? null : { cutOvers: held.length, lowMs: Math.min(...held), highMs: Math.max(...held) }
}

function viewOfCutOver({ id, from, to, positions, heldMs }: CutOver) {
  return {
    id,
    from,
    to,
    positions: viewOfPositions(Object.entries(positions)),
    heldMs: heldMs ?? null,
  }
}

function candidateOf({ newestCandidate, job }: JobController): number {
  if (newestCandidate !== undefined) return newestCandidate.version
  throw new StreamError('VERSION_STATE', { job, reason: 'there is no candidate' }, { fix: 'deploy a new version first, or name one' })
}

/** @param wanted the version that whoever asks means it to be. */
function wayBackOf(controller: JobController, wanted: number | undefined): number {
  const { wayBack, job } = controller
  if (wanted !== undefined && wanted !== wayBack?.version) {
    const state = controller.version(wanted)
    if (state.role === 'active') throw wrongState(job, state, 'it publishes already', `reprise status ${job}`)
    const now = wayBack === undefined ? 'there is none' : `that is v${wayBack.version}`
    throw wrongState(job, state, `it is not the way back: ${now}`, `reprise status ${job}, then reprise promote ${job} <version>`)
  }
  if (wayBack !== undefined) return wayBack.version
  throw new StreamError(
    'VERSION_STATE',
    { job, reason: 'no version that published before runs any more' },
    { fix: 'deploy its code again' },
  )
}
