import { StreamError } from '../../engine/errors.ts'
import type { Terminal } from './terminal.ts'

/** For verbs that have it. */
export const dryRunShows = '--dry-run shows what would be done'

/**
 * Asks; no is the default. CONFIRMATION_NEEDED when the answer is not yes, or nobody can give one.
 * @param look how to see first what it would be.
 */
export async function confirm(terminal: Terminal, question: string, look?: string): Promise<void> {
  if (terminal.ask === undefined)
    throw new StreamError('CONFIRMATION_NEEDED', { question }, { fix: look === undefined ? 'add --yes' : `add --yes; ${look}` })
  const answer = await terminal.ask(`${question} [y/N] `)
  if (!/^\s*y(es)?\s*$/i.test(answer)) throw new StreamError('CONFIRMATION_NEEDED', { question, answer }, { fix: 'answer y, or add --yes' })
}
