import { createHash } from 'node:crypto'
import { z } from 'zod'
import { StreamError } from '../../../engine/errors.ts'
import type { VersionState } from '../../../replay/control-state.ts'
import type { ControlProbePoint } from '../../../replay/probe-points.ts'
import { inspectBundle } from '../inspect-bundle.ts'
import type { InspectedJob } from '../inspected-job.ts'
import { sameVersion } from '../same-version.ts'
import type { RepriseServer } from '../server.ts'
import { versionView, viewOfPositions, viewOfVersion } from '../views.ts'
import { estimated } from './estimated.ts'
import { fromRequest, planned } from './from-request.ts'
import { askedOf, reason } from './job-requests.ts'
import { demand } from './permission.ts'
import { policyRequest } from './policy-request.ts'
import { problems } from './problem.ts'
import { limitsOf, rateRequest } from './rate-request.ts'
import { type App, whoAsks } from './typed-app.ts'

const bundleBody = z.strictObject({
  bundle: z.strictObject({ name: z.string().max(200), text: z.string(), map: z.string(), sha256: z.string().length(64) }),
  parallelism: z.number().int().min(1).max(64).default(1).describe('Tasks of each stage'),
  message: reason,
  promote: z.enum(['manual', 'auto']).default('manual').describe('auto: once all conditions are met'),
  allowSchemaChange: z.boolean().default(false),
  from: fromRequest.default({ type: 'zero' }).describe('Where the replay begins'),
  policy: policyRequest,
  rate: rateRequest,
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
  seam: z.array(z.string()).describe('In which words a switch would be less than exact'),
  changedWindows: z.array(z.string()).describe('A switch is exact at a common end of these'),
  startsAt: z.record(z.string(), z.string()),
  recordsToReplay: z.number(),
  estimateSeconds: z.number().nullable().describe('What the replay takes when nothing holds it back; null: not known'),
  estimateRecordsPerSecond: z.number().nullable().describe('The pace this counts with'),
  estimateShownBy: z
    .number()
    .nullable()
    .describe('The version that was so fast while enough waited for it; null: it is the limit asked for'),
  estimateAtLeast: z.boolean().describe('It takes longer: only what operators needed for a record is known'),
  diskBytes: z.number().nullable().describe('What its outputs take beside those that are there; null: not known'),
  diskFreeBytes: z.number(),
  already: z
    .object({ version: z.number(), role: z.enum(['candidate', 'active', 'standby']), health: z.enum(['running', 'paused', 'stopped']) })
    .nullable()
    .describe('The version that this is: deploying it makes no other'),
})
const deployedView = versionView.extend({ already: z.boolean().describe('Whether it was there before, as the same code') })

export function deployRoutes(app: App, server: RepriseServer): void {
  const config = { scope: 'deployer' } as const
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
    const { plan, starts } = await planned(server, inspected, body)
    const { control } = server.controllers.get(inspected.job) ?? {}
    const already = control && sameVersion(control, { sha256: bundle.sha256, parallelism: body.parallelism, starts })
    return { inspected, plan, starts, already }
  }
  app.post(
    '/api/v1/plan',
    { config, schema: { summary: 'What deploying a bundle would do', body: bundleBody, response: { 200: planView, ...problems } } },
    async ({ body }) => {
      const { plan, starts, already } = await prepared(body)
      const estimate = await estimated(server, plan, body.rate?.recordsPerSecond ?? null)
      return {
        ...plan,
        startsAt: viewOfPositions(Object.entries(starts)),
        changes: [...plan.changes],
        schemaBreaks: [...plan.schemaBreaks],
        seam: [...plan.seam.differs],
        changedWindows: plan.seam.changedWindows.map(({ what }) => what),
        active: plan.active ?? null,
        estimateSeconds: estimate.seconds ?? null,
        estimateRecordsPerSecond: estimate.recordsPerSecond ?? null,
        estimateShownBy: estimate.shownBy ?? null,
        estimateAtLeast: estimate.atLeast,
        diskBytes: estimate.diskBytes ?? null,
        diskFreeBytes: await server.diskFreeBytes(),
        already: already === undefined ? null : viewOfSame(already),
      }
    },
  )
  app.post(
    '/api/v1/versions',
    {
      config,
      schema: {
        summary: 'Deploy a bundle: the first version of a job publishes at once, later ones replay in private',
        body: bundleBody,
        response: { 200: deployedView, 201: deployedView, ...problems },
      },
    },
    async (request, reply) => {
      const { body } = request
      // It publishes by itself, later: more than to deploy.
      if (body.promote === 'auto') demand(request.token, 'operator')
      const { inspected, starts } = await prepared(body)
      if (body.createTopics) await createSources(server, inspected.sources)
      await server.bundles.put(body.bundle, Date.now())
      const stored: ControlProbePoint = 'deploy.bundle-stored'
      server.probe.at(stored)
      const controller = await server.controller(inspected.job)
      const before = controller.control.versions.size
      const state = await controller.verbs.register(inspected, body.bundle.sha256, body.parallelism, {
        asked: askedOf(whoAsks(request), body.message),
        promote: body.promote,
        policy: body.policy,
        rate: body.rate && limitsOf(body.rate),
        starts,
      })
      const fresh = controller.control.versions.size > before
      return reply
        .status(fresh ? 201 : 200)
        .header('location', `/api/v1/jobs/${inspected.job}/versions/${state.version}`)
        .send({ ...viewOfVersion(controller, state.version), already: !fresh })
    },
  )
}

function viewOfSame({ version, role, health }: VersionState) {
  // Of one that is no more nothing is the same.
  return { version, role: role as 'candidate' | 'active' | 'standby', health }
}

async function createSources(server: RepriseServer, sources: InspectedJob['sources']): Promise<void> {
  for (const { name, kind, partitions = 1, keep } of sources)
    if (server.log.topic(name) === undefined) await server.log.createTopic({ ...keep, name, kind, partitions })
}
