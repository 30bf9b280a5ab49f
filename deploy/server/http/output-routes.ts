import { z } from 'zod'
import { recordOf } from '../../../replay/version-record.ts'
import type { JobController } from '../job-controller.ts'
import type { RepriseServer } from '../server.ts'
import { ofJob } from './job-requests.ts'
import { problems } from './problem.ts'
import type { App } from './typed-app.ts'

const stretchView = z.object({
  output: z.string(),
  partition: z.number(),
  topic: z.string().describe('Read it by /api/v1/topics/<topic>/records'),
  from: z.string(),
  to: z.string().nullable().describe('One past the last; null: it goes on'),
})

export function outputRoutes(app: App, server: RepriseServer): void {
  app.get(
    '/api/v1/jobs/:job/versions/:version/outputs',
    {
      schema: {
        summary: 'Where all results of a version are, in the order it gave them: in private topics, and in public ones while it published',
        params: ofJob.extend({ version: z.coerce.number().int().positive() }),
        response: { 200: z.object({ items: z.array(stretchView) }), ...problems },
      },
    },
    async ({ params }) => ({ items: outputsOf(server, server.known(params.job), params.version) }),
  )
}

function outputsOf({ log }: RepriseServer, controller: JobController, version: number): z.infer<typeof stretchView>[] {
  const { control, job } = controller
  return controller.outputsOf(version).flatMap((output) =>
    Array.from({ length: log.topic(output)?.partitions ?? 0 }, (_, partition) =>
      recordOf(control, job, version, output, partition)
        .filter(({ topic, from, to }) => from !== to && log.topic(topic) !== undefined)
        .map(({ topic, from, to }) => ({ output, partition, topic, from: String(from), to: to === undefined ? null : String(to) })),
    ).flat(),
  )
}
