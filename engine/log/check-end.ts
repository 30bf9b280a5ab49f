import { StreamError } from '../errors.ts'
import type { ProducerEnd } from '../ports/log.ts'

/** Of a producer that has committed nothing. */
export const noEnd: ProducerEnd = { seq: 0, hash: '' }

/** COMMIT_CONFLICT unless the producer stands where the commit says. */
export function checkEnd(producer: string, expected: ProducerEnd, found: ProducerEnd): void {
  if (found.seq !== expected.seq || found.hash !== expected.hash) throw new StreamError('COMMIT_CONFLICT', { producer, expected, found })
}
