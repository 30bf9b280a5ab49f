import { StreamError } from '../../engine/errors.ts'
import type { Terminal } from './terminal.ts'

/** Asks; no is the default. CONFIRMATION_NEEDED when the answer is not yes, or nobody can give one. */
export async function confirm(terminal: Terminal, question: string): Promise<void> {
  if (terminal.ask === undefined)
    throw new StreamError('CONFIRMATION_NEEDED', { question }, { fix: 'add --yes; --dry-run shows what would be done' })
  const answer = await terminal.ask(`${question} [y/N] `)
  if (!/^\s*y(es)?\s*$/i.test(answer)) throw new StreamError('CONFIRMATION_NEEDED', { question, answer }, { fix: 'answer y, or add --yes' })
}
