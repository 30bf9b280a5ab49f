import type { FastifyInstance, FastifyRequest } from 'fastify'
import { StreamError } from '../../../engine/errors.ts'
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
    const text = body.toString()
    if (tooDeep(text)) done(nestedTooDeep(request))
    // Records are taken as they were sent: what a number of theirs means is not for us to say.
    else if (request.routeOptions.url === recordsPath) done(null, body)
    else void parse(request, text, done)
  })
}

function nestedTooDeep({ routeOptions }: FastifyRequest): StreamError {
  const reason = `nested deeper than ${jsonDepthMax} levels`
  if (routeOptions.url !== recordsPath) return new Refusal(400, `the body is ${reason}`)
  return new StreamError('RECORD_MALFORMED', { reason }, { fix: 'send it as a text, or cut it up' })
}
