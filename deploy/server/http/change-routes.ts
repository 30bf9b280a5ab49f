import { z } from 'zod'
import type { RepriseServer } from '../server.ts'
import { versionView, viewOfVersion } from '../views.ts'
import { askedOf, ofJob, reason, versionNumber } from './job-requests.ts'
import { problems } from './problem.ts'
import { limitsOf } from './rate-request.ts'
import { type App, whoAsks } from './typed-app.ts'

const limit = z.number().nonnegative().nullable().optional()

export function changeRoutes(app: App, server: RepriseServer): void {
  const config = { scope: 'operator' } as const
  const body = z.strictObject({ version: versionNumber.optional().describe('Default: the newest candidate, else the active one'), reason })
  const schema = (summary: string) => ({ summary, params: ofJob, body, response: { 200: versionView, ...problems } })
  app.post('/api/v1/jobs/:job/pause', { config, schema: schema('Take no input until resumed') }, async (request) => {
    const { controller, version, asked } = found(server, request.params.job, request.body, whoAsks(request))
    await controller.verbs.pause(version, asked)
    return viewOfVersion(controller, version)
  })
  app.post('/api/v1/jobs/:job/resume', { config, schema: schema('Go on; also a version that was stopped') }, async (request) => {
    const { controller, version, asked } = found(server, request.params.job, request.body, whoAsks(request))
    await controller.verbs.resume(version, asked)
    return viewOfVersion(controller, version)
  })
  app.post(
    '/api/v1/jobs/:job/abort',
    {
      config,
      schema: {
        ...schema(
          'Give up a candidate, or the way back; what it had is removed. With `keep` only the cut-over to it, before it is decided',
        ),
        body: body.extend({
          version: versionNumber
            .optional()
            .describe('Default: with `keep` the one that is to take over; else the newest candidate, else the active one'),
          keep: z.boolean().default(false).describe('End the cut-over to it that is under way; all versions stay as they are'),
        }),
      },
    },
    async (request) => {
      const { keep, ...named } = request.body
      const to = keep ? server.known(request.params.job).switching.to : undefined
      const { controller, version, asked } = found(server, request.params.job, { ...named, version: named.version ?? to }, whoAsks(request))
      if (keep) await controller.verbs.abortCutOver(version, asked)
      else await controller.verbs.abort(version, asked)
      return viewOfVersion(controller, version)
    },
  )
  app.post(
    '/api/v1/jobs/:job/skip',
    {
      config,
      schema: {
        summary: 'Go on past a record, which is set aside as a dead letter',
        params: ofJob,
        body: body.extend({ topic: z.string(), partition: z.number().int().nonnegative(), offset: z.number().int().nonnegative() }),
        response: { 200: versionView, ...problems },
      },
    },
    async (request) => {
      const { topic, partition, offset } = request.body
      const controller = server.known(request.params.job)
      const version = request.body.version ?? controller.control.owner!
      await controller.verbs.skip(version, { topic, partition, offset }, askedOf(whoAsks(request), request.body.reason))
      return viewOfVersion(controller, version)
    },
  )
  app.post(
    '/api/v1/jobs/:job/rate',
    {
      config,
      schema: {
        summary: 'What a version takes a second at most: records, bytes, or both. A limit that is not named stays as it is',
        params: ofJob,
        body: body
          .extend({
            recordsPerSecond: limit.describe('null: as many as it can; 0: pause'),
            bytesPerSecond: limit.describe('As the log holds them; null: as many as it can; 0: pause'),
          })
          .refine(({ recordsPerSecond, bytesPerSecond }) => recordsPerSecond !== undefined || bytesPerSecond !== undefined, {
            message: 'name recordsPerSecond, bytesPerSecond, or both',
          }),
        response: { 200: versionView, ...problems },
      },
    },
    async (request) => {
      const { controller, version, asked } = found(server, request.params.job, request.body, whoAsks(request))
      await controller.verbs.setRate(version, limitsOf(request.body), asked)
      return viewOfVersion(controller, version)
    },
  )
}

function found(server: RepriseServer, job: string, body: { version?: number | undefined; reason?: string | undefined }, by: string) {
  const controller = server.known(job)
  const version = body.version ?? controller.newestCandidate?.version ?? controller.control.owner!
  return { controller, version, asked: askedOf(by, body.reason) }
}
