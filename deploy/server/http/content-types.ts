import type { FastifyInstance, FastifyRequest } from 'fastify'
import { StreamError } from '../../../engine/errors.ts'
import { jsonDepthMax, tooDeep } from '../../json-depth.ts'
import { Refusal } from './problem.ts'

export const recordsPath = '/api/v1/topics/:topic/records'
export const ndjson = 'application/x-ndjson'

/** JSON, and NDJSON as a stream; text is no body of ours: a file of lines would be one record. */
export function parseBodies(app: FastifyInstance): void {
  app.removeContentTypeParser('text/plain')
  // Streamed: a body of any length, taken in as it comes.
  app.addContentTypeParser([ndjson, 'application/jsonl'], (_request, payload, done) => done(null, payload))
  const parse = app.getDefaultJsonParser('error', 'error')
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body: string, done) => {
    if (tooDeep(body)) done(nestedTooDeep(request))
    else void parse(request, body, done)
  })
}

function nestedTooDeep({ routeOptions }: FastifyRequest): StreamError {
  const reason = `nested deeper than ${jsonDepthMax} levels`
  if (routeOptions.url !== recordsPath) return new Refusal(400, `the body is ${reason}`)
  return new StreamError('RECORD_MALFORMED', { reason }, { fix: 'send it as a text, or cut it up' })
}
