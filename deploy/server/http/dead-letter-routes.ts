import { z } from 'zod'
import { DeadLetterQueue } from '../../dead-letters.ts'
import { fieldsOf } from '../../letter-fields.ts'
import { Turn } from '../../turn.ts'
import type { RepriseServer } from '../server.ts'
import { ofJob, reason } from './job-requests.ts'
import { numberInUrl } from './number-in-url.ts'
import { problems } from './problem.ts'
import type { App } from './typed-app.ts'

const id = z.number().int().nonnegative()
const letterView = z.object({
  id,
  state: z.enum(['open', 'retried', 'dropped']),
  decidedAt: z.string().nullable().optional(),
  source: z
    .object({ topic: z.string(), partition: z.number(), offset: z.number() })
    .nullable()
    .describe('Null: a timer or a window gave it'),
  code: z.string(),
  path: z.string(),
  operator: z.string(),
  message: z.string(),
  setAsideAt: z.string().nullable(),
  eventTime: z.string().nullable(),
  key: z.unknown(),
  value: z.unknown(),
  original: z.boolean().describe("False: the value is what the operator was given, not the source record's bytes"),
  sourceValue: z
    .unknown()
    .optional()
    .describe("Of one that is asked for alone and not original: the source record's, as long as the log has it"),
  headers: z.array(z.tuple([z.string(), z.unknown()])),
})
const outcomeView = z.object({
  job: z.string(),
  dryRun: z.boolean(),
  ids: z.array(id).describe('Decided now, or would be'),
  already: z.array(z.object({ id, type: z.enum(['retried', 'dropped']), at: z.number() })).describe('Were decided before'),
  timeResults: z.array(id).describe("Can't be retried: a timer or a window gave them"),
})

/** Records that the version that publishes set aside. */
export function deadLetterRoutes(app: App, server: RepriseServer): void {
  // Who decides fences whoever did before: one at a time.
  const turn = new Turn()
  const queueOf = (job: string) => {
    const { inspected } = server.known(job)
    return new DeadLetterQueue(server.log, job, (version) => inspected.get(version)?.stages)
  }
  app.get(
    '/api/v1/jobs/:job/dead-letters',
    {
      schema: {
        summary:
          'Records that could not be processed, the oldest first. A page ends at the limit or at 8 MB, and `next` is where the next begins',
        params: ofJob,
        querystring: z.strictObject({
          all: z.stringbool().default(false).describe('Also those that were retried or dropped'),
          error: z.string().max(100).optional().describe('Only those with this code'),
          limit: z.coerce.number().int().min(1).max(1000).default(100),
          from: numberInUrl(0).optional().describe('The `next` of the page before'),
        }),
        response: { 200: z.object({ items: z.array(letterView), next: z.string().nullable() }), ...problems },
      },
    },
    async ({ params, query: { from, error, ...query } }) => {
      const page = { ...query, error, ...(from === undefined ? {} : { from }) }
      const { letters, next } = await queueOf(params.job).page(page)
      return { items: letters.map((letter) => viewOf(letter)), next: next === undefined ? null : String(next) }
    },
  )
  app.get(
    '/api/v1/jobs/:job/dead-letters/:id',
    {
      schema: {
        summary: 'One of them',
        params: ofJob.extend({ id: numberInUrl(0) }),
        response: { 200: letterView, ...problems },
      },
    },
    async ({ params }) => {
      const { letter, from } = await queueOf(params.job).letter(params.id)
      return viewOf(letter, from)
    },
  )
  for (const [action, type, summary] of [
    ['retry', 'retried', 'Let the version that publishes process them once more; each once, however often this is called'],
    ['drop', 'dropped', 'Close them without processing'],
  ] as const) {
    app.post(
      `/api/v1/jobs/:job/dead-letters/${action}`,
      {
        config: { scope: 'operator' },
        schema: {
          summary,
          params: ofJob,
          body: z.strictObject({
            ids: z.array(id).max(10_000).default([]),
            all: z.boolean().default(false).describe('All that are open, instead of ids'),
            error: z.string().max(100).optional().describe('With all: only those with this code'),
            dryRun: z.boolean().default(false),
            reason,
          }),
          response: { 200: outcomeView, ...problems },
        },
      },
      async ({ params, body: { ids, all, error, dryRun } }) =>
        turn.take(async () => {
          const queue = queueOf(params.job)
          const plan = await queue.plan(type, { ids, all, error })
          const decided = dryRun ? plan.ids : await queue.carryOut(plan)
          return { job: params.job, dryRun, ids: [...decided], already: [...plan.already], timeResults: [...plan.timeResults] }
        }),
    )
  }
}

function viewOf(...letter: Parameters<typeof fieldsOf>): z.infer<typeof letterView> {
  const { headers, ...fields } = fieldsOf(...letter)
  return { ...fields, headers: headers.map(([name, value]) => [name, value]) }
}
