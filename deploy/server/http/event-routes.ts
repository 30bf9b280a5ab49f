import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { readRecords } from '../../../engine/log/read-records.ts'
import type { Log } from '../../../engine/ports/log.ts'
import { controlTopic } from '../../../replay/control-log.ts'
import { jsonText } from '../../json-text.ts'
import { realClock } from '../../real-clock.ts'
import type { RepriseServer } from '../server.ts'
import { EventStream } from './event-stream.ts'
import { numberInUrl } from './number-in-url.ts'
import { problems, Refusal } from './problem.ts'
import { boundsOf, demandTopic, viewOfRecord } from './topic-routes.ts'
import type { App } from './typed-app.ts'

const beatMs = 15_000

/** Each reads the log for itself, and holds what its client has not taken yet. */
const followersMax = 256

/** Whether the client, the token and the server are still there is looked at this often while nothing comes. */
const lookEveryMs = 1000

const events = {
  'text/event-stream': { schema: z.string().describe('id: an offset; data: what a record of it is elsewhere, as JSON') },
} as const
const goesOnBehind = z.looseObject({
  'last-event-id': z
    .string()
    .regex(/^\d{0,15}$/, 'is the id of an event: an offset')
    .optional()
    .describe('Go on behind this one'),
})
const decisionView = z.object({ id: z.string(), event: z.unknown() })

export function eventRoutes(app: App, server: RepriseServer): void {
  let followers = 0
  const inPlace: typeof follow = async (...args) => {
    if (followers >= followersMax)
      throw new Refusal(429, `${followersMax} clients follow something already`, 'ask again once some of them leave, or read page by page')
    followers++
    try {
      return await follow(...args)
    } finally {
      followers--
    }
  }
  app.get(
    '/api/v1/jobs/:job/events',
    {
      schema: {
        summary: 'What was decided about a job, oldest first; with Accept: text/event-stream also what will be',
        params: z.strictObject({ job: z.string().max(249) }),
        querystring: z.strictObject({
          after: numberInUrl(-1).optional().describe('The number of the last event that is known; default: none is'),
        }),
        headers: goesOnBehind,
        response: {
          200: {
            description: 'What was decided',
            content: { 'application/json': { schema: z.object({ items: z.array(decisionView) }) }, ...events },
          },
          ...problems,
        },
      },
    },
    async (request, reply) => {
      const { job } = server.known(request.params.job)
      const { after = -1 } = request.query
      const topic = controlTopic(job)
      if (wantsStream(request)) return inPlace(server, request, reply, topic, 0, lastEventId(request) ?? after)
      const items = []
      const { start } = boundsOf(server, topic, 0)
      for await (const { offset, value } of readRecords(server.log, topic, 0, Math.max(start, after + 1)))
        items.push({ id: String(offset), event: JSON.parse(Buffer.from(value!).toString()) as unknown })
      return { items }
    },
  )
  app.get(
    '/api/v1/topics/:topic/follow',
    {
      schema: {
        summary: 'Records of one partition as server-sent events; Last-Event-ID goes on behind an offset',
        params: z.strictObject({ topic: z.string().max(249) }),
        querystring: z.strictObject({
          partition: z.coerce.number().int().nonnegative().default(0),
          from: numberInUrl(0).optional().describe('Default: what comes from now on'),
        }),
        headers: goesOnBehind,
        response: { 200: { description: 'Records', content: events }, ...problems },
      },
    },
    async (request, reply) => {
      const { topic } = request.params
      demandTopic(server, topic, request.token)
      const { partition, from } = request.query
      const { end } = boundsOf(server, topic, partition)
      return inPlace(server, request, reply, topic, partition, lastEventId(request) ?? (from ?? end) - 1)
    },
  )
}

function wantsStream({ headers }: FastifyRequest): boolean {
  return (headers.accept ?? '').includes('text/event-stream')
}

function lastEventId({ headers }: FastifyRequest): number | undefined {
  const id = headers['last-event-id']
  return id === undefined || id === '' ? undefined : Number(id)
}

/** Sends each record behind `after` as an event, whose id is its offset, until the client, the server or the token goes. Reads no faster than the client does. */
async function follow(
  server: RepriseServer,
  request: FastifyRequest,
  reply: FastifyReply,
  topic: string,
  partition: number,
  after: number,
): Promise<FastifyReply> {
  const gone = new AbortController()
  request.raw.once('close', () => gone.abort())
  reply.hijack()
  const out = reply.raw
  out.setHeader('content-type', 'text/event-stream')
  out.writeHead(200, { 'cache-control': 'no-store' })
  // A client is to know at once that it is followed, though there is nothing to tell yet.
  out.flushHeaders()
  const events = new EventStream(out)
  const beat = setInterval(() => events.beat(), beatMs)
  const { token } = request
  const goesOn = () => !gone.signal.aborted && !server.stopping && (token === undefined || server.tokens.isValid(token))
  let next = after + 1
  try {
    while (goesOn()) {
      const seen = server.log.changes()
      const { start, end } = server.log.bounds(topic, partition)
      next = Math.max(next, start)
      if (next < end) {
        for await (const record of readRecords(server.log, topic, partition, next, end)) {
          if (!goesOn()) break
          await events.send(`id: ${record.offset}\ndata: ${jsonText(viewOfRecord(record, partition))}\n\n`)
        }
        next = end
      } else await changedWithin(server.log, seen, lookEveryMs)
    }
    if (!gone.signal.aborted) await events.send('event: bye\ndata: {}\n\n')
  } catch (error) {
    server.logger.warn({ error, topic, partition }, 'a follower was left')
  } finally {
    clearInterval(beat)
    out.end()
  }
  return reply
}

/** Leaves nothing behind: a follower waits as often as the log changes, for as long as it is there. */
async function changedWithin(log: Log, seen: number, ms: number): Promise<void> {
  const over = new AbortController()
  await Promise.race([log.changed(seen, over.signal), realClock.sleep(ms, over.signal)])
  over.abort()
}
