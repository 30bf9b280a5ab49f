import type { FastifyInstance } from 'fastify'
import { jsonDepthMax, tooDeep } from '../../json-depth.ts'
import { Refusal } from './problem.ts'

export const recordsPath = '/api/v1/topics/:topic/records'
export const ndjson = 'application/x-ndjson'

/** JSON, of records as bytes, and NDJSON as a stream; text is no body of ours: a file of lines would be one record. */
export function parseBodies(app: FastifyInstance): void {
  app.removeContentTypeParser('text/plain')
  // Streamed: a body of any length, taken in as it comes.
  app.addContentTypeParser([ndjson, 'application/jsonl'], (_request, payload, done) => done(null, payload))
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    // Records are taken as they were sent, and looked at one by one: what a number of theirs means is not for us to say.
    if (request.routeOptions.url === recordsPath) return done(null, body)
    const text = body.toString()
    if (tooDeep(text)) done(new Refusal(400, `the body is nested deeper than ${jsonDepthMax} levels`))
    else void parse(request, text, done)
  })
}
