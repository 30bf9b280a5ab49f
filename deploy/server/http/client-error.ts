import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import { StreamError } from '../../../engine/errors.ts'
import { problemOf, problemType, Refusal, statusOf } from './problem.ts'

/** Answers what is no HTTP request, or not in time: there is no route, and nothing but the connection. */
export function refuseClient(requestId: string, error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code !== 'ECONNRESET' && socket.writable) socket.write(answerTo(requestId, error))
  socket.destroy(error)
}

function answerTo(requestId: string, error: NodeJS.ErrnoException): string {
  const refusal = refusalOf(error)
  const status = statusOf(refusal)
  const body = JSON.stringify(problemOf(refusal, requestId, ''))
  const headers = [`content-type: ${problemType}`, `content-length: ${Buffer.byteLength(body)}`, 'connection: close']
  return [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`, ...headers, '', body].join('\r\n')
}

function refusalOf({ code, message }: NodeJS.ErrnoException): StreamError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new StreamError('REQUEST_TIMED_OUT', { reason: 'the headers were not complete' })
  return new Refusal(code === 'HPE_HEADER_OVERFLOW' ? 431 : 400, message)
}
