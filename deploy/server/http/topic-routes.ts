import { z } from 'zod'
import { StreamError } from '../../../engine/errors.ts'
import { readRecords } from '../../../engine/log/read-records.ts'
import type { LogRecord } from '../../../engine/model/record.ts'
import { bytesField, timeText, valueField } from '../../cli/record-fields.ts'
import { openTopic } from '../../ingest/open-topic.ts'
import { refusalOf } from '../../ingest/sealed-topic.ts'
import { bytesOf, PageBytes } from '../../page-bytes.ts'
import { changeKeep, shownKeep } from '../../topic-keep.ts'
import type { RepriseServer } from '../server.ts'
import type { Token } from '../tokens.ts'
import { recordsPath } from './content-types.ts'
import { numberInUrl } from './number-in-url.ts'
import { demand } from './permission.ts'
import { problems } from './problem.ts'
import { takeRecords } from './take-records.ts'
import type { App } from './typed-app.ts'

const topicView = z.object({
  topic: z.string(),
  kind: z.enum(['stream', 'table', 'internal']),
  partitions: z.array(z.object({ partition: z.number(), start: z.string(), end: z.string() })),
  retentionMs: z.number().nullable().describe('Older records may go, but none that a version still needs; null: none go for their age'),
  retentionBytes: z.number().nullable().describe('The oldest may go while a partition has more; null: none go for their size'),
  compacted: z.boolean().describe('Older values of a key may go'),
})

const recordView = z.object({
  partition: z.number(),
  offset: z.string(),
  key: z.unknown(),
  eventTime: z.string().nullable(),
  appendTime: z.string().nullable(),
  headers: z.record(z.string(), z.unknown()),
  value: z.unknown(),
})

const ofTopic = z.strictObject({ topic: z.string().max(249) })

export function topicRoutes(app: App, server: RepriseServer): void {
  app.get(
    '/api/v1/topics',
    { schema: { summary: 'All topics', response: { 200: z.object({ items: z.array(topicView) }), ...problems } } },
    async () => ({
      items: server.log.topics().map(({ name }) => viewOfTopic(server, name)),
    }),
  )
  app.get(
    '/api/v1/topics/:topic',
    { schema: { summary: 'One topic', params: ofTopic, response: { 200: topicView, ...problems } } },
    async ({ params }) => viewOfTopic(server, params.topic),
  )
  const limit = z.number().int().positive().nullable().optional()
  app.patch(
    '/api/v1/topics/:topic',
    {
      config: { scope: 'operator' },
      schema: {
        summary: 'What a topic keeps. What is not named stays as it is',
        params: ofTopic,
        body: z
          .strictObject({
            retentionMs: limit.describe('null: for ever'),
            retentionBytes: limit.describe('Of each partition; null: any number'),
            compacted: z.boolean().optional().describe('Of a table'),
          })
          .refine((change) => Object.keys(change).length > 0, { message: 'name retentionMs, retentionBytes or compacted' }),
        response: { 200: topicView, ...problems },
      },
    },
    async ({ params, body }) => {
      await changeKeep(server.log, params.topic, body)
      return viewOfTopic(server, params.topic)
    },
  )
  app.post(
    recordsPath,
    {
      config: { scope: 'operator' },
      schema: {
        summary:
          'Take records in: NDJSON as a stream, of which all before a bad line is taken, or JSON (an array as a whole, or one record). With producer and sequence each is taken once',
        params: ofTopic,
        querystring: z.strictObject({
          key: z.string().optional().describe('The field that is the key; without it records are dealt out in turn'),
          time: z.string().optional().describe('The field that says when it happened; without it: now, by the clock of the log'),
          producer: z.string().min(1).max(200).optional().describe('Names the source of the records'),
          sequence: numberInUrl(0).optional().describe('Number of the first record in that source, from 0'),
          partitions: z.coerce.number().int().min(1).max(1024).optional().describe('Of a topic that is not there yet'),
          kind: z.enum(['stream', 'table']).optional().describe('Of a topic that is not there yet; default: stream'),
        }),
        response: { 200: z.object({ added: z.number(), skipped: z.number(), nextSequence: z.number().nullable() }), ...problems },
      },
    },
    async ({ params, query, body }) => {
      const { topic } = params
      const { producer, sequence } = query
      if ((producer === undefined) !== (sequence === undefined))
        throw new StreamError('REQUEST_INVALID', { reason: 'producer and sequence go together' }, { fix: 'give both, or none' })
      const writers = () => server.writers()
      const refusal = refusalOf(topic, writers())
      if (refusal !== undefined) throw refusal
      await openTopic(server.log, topic, writers(), { kind: query.kind, partitions: query.partitions })
      const now = () => server.log.clock()
      return takeRecords(body, { producers: server.producers, writers, now, topic, key: query.key, time: query.time, producer, sequence })
    },
  )
  app.get(
    recordsPath,
    {
      schema: {
        summary:
          'Records of one partition from an offset on: a page ends at the limit or at 8 MB, whichever comes first, and `next` is where the next begins',
        params: ofTopic,
        querystring: z.strictObject({
          partition: z.coerce.number().int().nonnegative().default(0),
          from: numberInUrl(0).optional().describe('Default: the earliest there is'),
          limit: z.coerce.number().int().min(1).max(10_000).default(100),
        }),
        response: { 200: z.object({ items: z.array(recordView), next: z.string(), end: z.string() }), ...problems },
      },
    },
    async ({ params: { topic }, query: { partition, from, limit }, token }) => {
      demandTopic(server, topic, token)
      const { start, end } = boundsOf(server, topic, partition)
      const first = from ?? start
      const items = []
      const page = new PageBytes()
      let next = Math.min(Math.max(first, start) + limit, end)
      if (first < end) {
        for await (const record of readRecords(server.log, topic, partition, first, Math.min(end, first + limit))) {
          if (!page.take(bytesOf(record))) {
            next = record.offset
            break
          }
          items.push(viewOfRecord(record, partition))
        }
      }
      return { items, next: String(next), end: String(end) }
    },
  )
}

export function viewOfRecord(
  { offset, key, eventTime, appendTime, headers, value }: LogRecord,
  partition: number,
): z.infer<typeof recordView> {
  return {
    partition,
    offset: String(offset),
    key: bytesField(key),
    eventTime: timeText(eventTime),
    appendTime: timeText(appendTime),
    headers: Object.fromEntries(headers.map((header) => [header.name, bytesField(header.value)])),
    value: valueField(value),
  }
}

/** TOPIC_UNKNOWN. */
export function boundsOf(server: RepriseServer, topic: string, partition: number) {
  if (server.log.topic(topic) === undefined) throw new StreamError('TOPIC_UNKNOWN', { topic })
  return server.log.bounds(topic, partition)
}

function viewOfTopic(server: RepriseServer, name: string): z.infer<typeof topicView> {
  const info = server.log.topic(name)
  if (info === undefined) throw new StreamError('TOPIC_UNKNOWN', { topic: name })
  const partitions = Array.from({ length: info.partitions }, (_, partition) => {
    const { start, end } = server.log.bounds(name, partition)
    return { partition, start: String(start), end: String(end) }
  })
  return { topic: name, kind: info.kind, partitions, ...shownKeep(info) }
}

/** Topics of Reprise itself hold bundles, hashes of tokens, state: not for everybody who may look. */
export function demandTopic({ log }: RepriseServer, topic: string, token: Token | undefined): void {
  if (log.topic(topic)?.kind === 'internal') demand(token, 'admin')
}
