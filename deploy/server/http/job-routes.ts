import { createHash } from 'node:crypto'
import { z } from 'zod'
import { StreamError } from '../../../engine/errors.ts'
import type { CutOver } from '../../../replay/control-event.ts'
import type { Asked } from '../../../replay/cut-over.ts'
import type { ControlProbePoint } from '../../../replay/probe-points.ts'
import { planDeployment } from '../deployments.ts'
import { inspectBundle } from '../inspect-bundle.ts'
import type { JobController } from '../job-controller.ts'
import type { Operation } from '../operations.ts'
import type { RepriseServer } from '../server.ts'
import { iso, jobView, partitionView, versionView, viewOfJob, viewOfVersion } from '../views.ts'
import { problem } from './problem.ts'
import { type App, whoAsks } from './typed-app.ts'

const ofJob = z.strictObject({ job: z.string().max(249) })
const version = z.number().int().positive()
const reason = z.string().max(500).optional()
const problems = { '4xx': problem, '5xx': problem } as const

const operationView = z.object({
  id: z.string(),
  kind: z.enum(['promote', 'rollback']),
  job: z.string(),
  version: z.number(),
  state: z.enum(['running', 'done', 'failed']),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  result: z.unknown(),
  error: z.object({ code: z.string(), message: z.string(), fix: z.string().optional() }).nullable(),
})

const dryRunView = z.object({
  job: z.string(),
  from: z.number(),
  to: z.number(),
  positions: z.record(z.string(), z.string()).describe('Where it would switch, or later'),
  gates: z.array(z.object({ name: z.string(), pass: z.boolean(), found: z.string(), limit: z.string() })),
  seam: z.array(z.string()).describe('In which words the versions differ in how they cut time'),
  wouldSucceed: z.boolean(),
  wayBackUntil: z.string().describe('How long the former version runs on'),
})

const bundleBody = z.strictObject({
  bundle: z.strictObject({ name: z.string().max(200), text: z.string(), map: z.string(), sha256: z.string().length(64) }),
  parallelism: z.number().int().min(1).max(64).default(1).describe('Tasks of each stage'),
  message: reason,
  promote: z.enum(['manual', 'auto']).default('manual').describe('auto: once all conditions are met'),
  allowSchemaChange: z.boolean().default(false),
  createTopics: z.boolean().default(false).describe('Make source topics that are not there, empty'),
})

const changeView = z.object({
  change: z.enum(['added', 'removed', 'changed', 'same']),
  what: z.string(),
  name: z.string(),
  detail: z.string(),
})
const planView = z.object({
  job: z.string(),
  active: z.number().nullable(),
  next: z.number(),
  changes: z.array(changeView),
  schemaBreaks: z.array(z.string()),
  seam: z.array(z.string()),
  recordsToReplay: z.number(),
  estimateSeconds: z.number().nullable(),
})

export function jobRoutes(app: App, server: RepriseServer): void {
  app.get('/api/v1/jobs', { schema: { summary: 'All jobs', response: { 200: z.object({ items: z.array(jobView) }) } } }, async () => ({
    items: [...server.controllers.values()].map(viewOfJob),
  }))
  app.get(
    '/api/v1/jobs/:job',
    { schema: { summary: 'One job with its versions', params: ofJob, response: { 200: jobView, ...problems } } },
    async ({ params }) => viewOfJob(server.known(params.job)),
  )
  app.get(
    '/api/v1/jobs/:job/versions/:version',
    {
      schema: {
        summary: 'One version',
        params: ofJob.extend({ version: z.coerce.number().int().positive() }),
        response: { 200: versionView, ...problems },
      },
    },
    async ({ params }) => viewOfVersion(server.known(params.job), params.version),
  )
  app.get(
    '/api/v1/jobs/:job/lag',
    {
      schema: {
        summary: 'What waits for each version, by partition',
        params: ofJob,
        response: { 200: z.object({ items: z.array(partitionView.extend({ version: z.number() })) }), ...problems },
      },
    },
    async ({ params }) => ({
      items: viewOfJob(server.known(params.job)).versions.flatMap(({ version, partitions }) =>
        partitions.map((one) => ({ version, ...one })),
      ),
    }),
  )
  deployRoutes(app, server)
  changeRoutes(app, server)
  cutOverRoutes(app, server)
}

function deployRoutes(app: App, server: RepriseServer): void {
  const prepared = async (body: z.infer<typeof bundleBody>) => {
    const { bundle } = body
    const found = createHash('sha256').update(bundle.text).digest('hex')
    if (found !== bundle.sha256) {
      throw new StreamError(
        'REQUEST_INVALID',
        { sha256: bundle.sha256, found, reason: 'the bundle is not what its sha256 says' },
        { fix: 'bundle and send it again' },
      )
    }
    const inspected = await inspectBundle(bundle)
    return { inspected, plan: planDeployment(server.log, inspected, server.controllers, body) }
  }
  app.post(
    '/api/v1/plan',
    { schema: { summary: 'What deploying a bundle would do', body: bundleBody, response: { 200: planView, ...problems } } },
    async ({ body }) => {
      const { plan } = await prepared(body)
      return {
        ...plan,
        changes: [...plan.changes],
        schemaBreaks: [...plan.schemaBreaks],
        seam: [...plan.seam],
        active: plan.active ?? null,
        estimateSeconds: plan.estimateSeconds ?? null,
      }
    },
  )
  app.post(
    '/api/v1/versions',
    {
      schema: {
        summary: 'Deploy a bundle: the first version of a job publishes at once, later ones replay in private',
        body: bundleBody,
        response: { 200: versionView, 201: versionView, ...problems },
      },
    },
    async (request, reply) => {
      const { body } = request
      const { inspected } = await prepared(body)
      if (body.createTopics) await createSources(server, inspected.sources)
      await server.bundles.put(body.bundle, Date.now())
      const stored: ControlProbePoint = 'deploy.bundle-stored'
      server.probe.at(stored)
      const controller = await server.controller(inspected.job)
      const before = controller.control.versions.size
      const state = await controller.register(inspected, body.bundle.sha256, body.parallelism, {
        asked: askedOf(whoAsks(request), body.message),
        promote: body.promote === 'auto',
      })
      const fresh = controller.control.versions.size > before
      return reply
        .status(fresh ? 201 : 200)
        .header('location', `/api/v1/jobs/${inspected.job}/versions/${state.version}`)
        .send(viewOfVersion(controller, state.version))
    },
  )
}

async function createSources(
  server: RepriseServer,
  sources: readonly { name: string; kind: 'stream' | 'table'; partitions: number | undefined }[],
): Promise<void> {
  for (const { name, kind, partitions = 1 } of sources)
    if (server.log.topic(name) === undefined) await server.log.createTopic({ name, kind, partitions })
}

function changeRoutes(app: App, server: RepriseServer): void {
  const body = z.strictObject({ version: version.optional().describe('Default: the newest candidate, else the active one'), reason })
  const schema = (summary: string) => ({ summary, params: ofJob, body, response: { 200: versionView, ...problems } })
  app.post('/api/v1/jobs/:job/pause', { schema: schema('Take no input until resumed') }, async (request) => {
    const { controller, version, asked } = found(server, request.params.job, request.body, whoAsks(request))
    await controller.pause(version, asked)
    return viewOfVersion(controller, version)
  })
  app.post('/api/v1/jobs/:job/resume', { schema: schema('Go on; also a version that was stopped') }, async (request) => {
    const { controller, version, asked } = found(server, request.params.job, request.body, whoAsks(request))
    await controller.resume(version, asked)
    return viewOfVersion(controller, version)
  })
  app.post(
    '/api/v1/jobs/:job/abort',
    { schema: schema('Give up a candidate, or the way back; what it had is removed') },
    async (request) => {
      const { controller, version, asked } = found(server, request.params.job, request.body, whoAsks(request))
      await controller.abort(version, asked)
      return viewOfVersion(controller, version)
    },
  )
  app.post(
    '/api/v1/jobs/:job/rate',
    {
      schema: {
        summary: 'Records a second a version takes at most',
        params: ofJob,
        body: body.extend({ recordsPerSecond: z.number().nonnegative().nullable().describe('null: as many as it can; 0: pause') }),
        response: { 200: versionView, ...problems },
      },
    },
    async (request) => {
      const { controller, version, asked } = found(server, request.params.job, request.body, whoAsks(request))
      const { recordsPerSecond } = request.body
      if (recordsPerSecond === 0) await controller.pause(version, asked)
      else await controller.setRate(version, recordsPerSecond, asked)
      return viewOfVersion(controller, version)
    },
  )
}

function cutOverRoutes(app: App, server: RepriseServer): void {
  const body = z.strictObject({
    version: version.optional().describe('Default: the newest candidate'),
    dryRun: z.boolean().default(false),
    force: z.boolean().default(false).describe('Although it is not caught up'),
    allowSeam: z.boolean().default(false).describe('Although windows of the two versions differ'),
    reason,
  })
  const response = { 200: dryRunView, 202: operationView, ...problems }
  app.post(
    '/api/v1/jobs/:job/promote',
    { schema: { summary: 'Hand the public topics to a version', params: ofJob, body, response } },
    async (request, reply) => {
      const controller = server.known(request.params.job)
      const to = request.body.version ?? newestCandidate(controller)
      const done = cutOverTo(server, 'promote', controller, to, request.body, whoAsks(request))
      if ('dryRun' in done) return reply.status(200).send(done.dryRun)
      return reply.status(202).header('location', done.location).send(done.operation)
    },
  )
  app.post(
    '/api/v1/jobs/:job/rollback',
    {
      schema: {
        summary: 'Hand the public topics back to the version that had them before',
        params: ofJob,
        body: body.omit({ version: true }),
        response,
      },
    },
    async (request, reply) => {
      const controller = server.known(request.params.job)
      const { wayBack, job } = controller
      if (wayBack === undefined)
        throw new StreamError(
          'VERSION_STATE',
          { job, reason: 'no version that published before runs any more' },
          { fix: 'deploy its code again' },
        )
      const done = cutOverTo(server, 'rollback', controller, wayBack.version, request.body, whoAsks(request))
      if ('dryRun' in done) return reply.status(200).send(done.dryRun)
      return reply.status(202).header('location', done.location).send(done.operation)
    },
  )
  app.get(
    '/api/v1/operations/:id',
    {
      schema: {
        summary: 'Something that takes a while',
        params: z.strictObject({ id: z.string().max(100) }),
        response: { 200: operationView, ...problems },
      },
    },
    async ({ params }) => viewOfOperation(server.operations.get(params.id)),
  )
}

function cutOverTo(
  server: RepriseServer,
  kind: Operation['kind'],
  controller: JobController,
  to: number,
  { dryRun, force, allowSeam, reason }: { dryRun: boolean; force: boolean; allowSeam: boolean; reason?: string | undefined },
  by: string,
) {
  if (dryRun) return { dryRun: viewOfDryRun(server, controller, to) }
  const request = { version: to, force, allowSeam, ...askedOf(by, reason) }
  controller.checkPromotion(request)
  const operation = server.operations.start(kind, controller.job, to, () => controller.promote(request).then(viewOfCutOver))
  return { operation: viewOfOperation(operation), location: `/api/v1/operations/${operation.id}` }
}

function viewOfDryRun(server: RepriseServer, controller: JobController, to: number): z.infer<typeof dryRunView> {
  const owner = controller.control.owner!
  const gates = controller.gates(to).map(({ name, pass, found, limit }) => ({ name, pass, found, limit }))
  const positions = Object.fromEntries([...(controller.facts(owner)?.positions ?? [])].map(([name, position]) => [name, String(position)]))
  return {
    job: controller.job,
    from: owner,
    to,
    positions,
    gates,
    seam: controller.seam(to),
    wouldSucceed: gates.every(({ pass }) => pass),
    wayBackUntil: iso(Date.now() + server.bakeMs),
  }
}

function viewOfCutOver({ id, from, to, positions, heldMs }: CutOver) {
  return {
    id,
    from,
    to,
    positions: Object.fromEntries(Object.entries(positions).map(([name, at]) => [name, String(at)])),
    heldMs: heldMs ?? null,
  }
}

function viewOfOperation({ id, kind, job, version, state, startedAt, endedAt, result, error }: Operation): z.infer<typeof operationView> {
  return {
    id,
    kind,
    job,
    version,
    state,
    startedAt: iso(startedAt),
    endedAt: endedAt === undefined ? null : iso(endedAt),
    result: result ?? null,
    error:
      error === undefined ? null : { code: error.code, message: error.message, ...(error.fix === undefined ? {} : { fix: error.fix }) },
  }
}

function newestCandidate({ control, job }: JobController): number {
  const candidates = [...control.versions.values()].filter(({ role }) => role === 'candidate')
  const newest = candidates.at(-1)
  if (newest === undefined)
    throw new StreamError('VERSION_STATE', { job, reason: 'there is no candidate' }, { fix: 'deploy a new version first, or name one' })
  return newest.version
}

function found(server: RepriseServer, job: string, body: { version?: number | undefined; reason?: string | undefined }, by: string) {
  const controller = server.known(job)
  const candidates = [...controller.control.versions.values()].filter(({ role }) => role === 'candidate')
  const version = body.version ?? candidates.at(-1)?.version ?? controller.control.owner!
  return { controller, version, asked: askedOf(by, body.reason) }
}

function askedOf(by: string, reason: string | undefined): Asked {
  return { by, ...(reason === undefined ? {} : { reason }) }
}
