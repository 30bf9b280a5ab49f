import type { Choice, PageQuery } from '../dead-letters.ts'
import type { LetterFields } from '../letter-fields.ts'
import { type ClientFlags, clientOf } from './client-flags.ts'
import type { Terminal } from './terminal.ts'

export interface DeskFlags extends ClientFlags {
  /** The data directory; absent: a server is asked. */
  readonly data?: string
}

/** What became of dead letters, or would. */
export interface Outcome {
  readonly job: string
  readonly dryRun: boolean
  /** Decided now. */
  readonly ids: readonly number[]
  readonly already: readonly { readonly id: number; readonly type: string }[]
  readonly timeResults: readonly number[]
}

export interface Deal extends Choice {
  readonly type: 'retried' | 'dropped'
  readonly dryRun: boolean
  /** Asked with what would be dropped, before that is done; throws to leave it at that. */
  readonly confirm: (job: string, count: number) => Promise<void>
}

/** Where the dead letters of a job are looked at and decided: in a data directory, or at the server that has it open. */
export interface LetterDesk {
  list(query: PageQuery): Promise<{ readonly job: string; readonly letters: readonly LetterFields[]; readonly more: boolean }>
  /** DEAD_LETTER_UNKNOWN. */
  show(id: number): Promise<LetterFields>
  /** Errors: USAGE, DEAD_LETTER_UNKNOWN, JOB_SEALED. */
  decide(deal: Deal): Promise<Outcome>
}

export function letterDesk(job: string, flags: DeskFlags, terminal: Terminal): LetterDesk {
  return flags.data === undefined ? deskAtServer(job, flags, terminal) : deskOfData(job, flags.data)
}

function deskOfData(job: string, data: string): LetterDesk {
  return {
    async list(query) {
      const { withDeadLetterList } = await import('../dead-letters.ts')
      const { fieldsOf } = await import('../letter-fields.ts')
      return withDeadLetterList(data, job, async (list) => {
        const { letters, next } = await list.page({ ...query, bytesMax: Number.POSITIVE_INFINITY })
        return { job: list.job, letters: letters.map((letter) => fieldsOf(letter)), more: next !== undefined }
      })
    },
    async show(id) {
      const { withDeadLetterList } = await import('../dead-letters.ts')
      const { fieldsOf } = await import('../letter-fields.ts')
      return withDeadLetterList(data, job, async (list) => {
        const { letter, from } = await list.letter(id)
        return fieldsOf(letter, from)
      })
    },
    async decide({ type, dryRun, confirm, ...choice }) {
      const { withDeadLetters } = await import('../dead-letters.ts')
      return withDeadLetters(data, job, async (queue) => {
        const plan = await queue.plan(type, choice)
        const { already, timeResults } = plan
        if (!dryRun && type === 'dropped' && plan.ids.length > 0) await confirm(queue.job, plan.ids.length)
        return { job: queue.job, dryRun, ids: dryRun ? plan.ids : await queue.carryOut(plan), already, timeResults }
      })
    },
  }
}

/** The server gives so many at once. */
const pageLetters = 1000

interface LetterPage {
  readonly items: readonly LetterFields[]
  readonly next: string | null
}

function deskAtServer(job: string, flags: ClientFlags, terminal: Terminal): LetterDesk {
  const path = `/api/v1/jobs/${encodeURIComponent(job)}/dead-letters`
  return {
    async list({ all, error, limit = pageLetters }) {
      const client = await clientOf(flags, terminal)
      const letters: LetterFields[] = []
      let from: string | null = '0'
      // A page also ends where it has enough bytes.
      while (from !== null && letters.length < limit) {
        const pageLimit = String(Math.min(limit - letters.length, pageLetters))
        const query = new URLSearchParams({ all: String(all), limit: pageLimit, from, ...(error === undefined ? {} : { error }) })
        const { items, next }: LetterPage = await client.get<LetterPage>(`${path}?${query}`)
        letters.push(...items)
        from = next
      }
      return { job, letters, more: from !== null }
    },
    async show(id) {
      return (await clientOf(flags, terminal)).get<LetterFields>(`${path}/${id}`)
    },
    async decide({ type, ids, all, error, dryRun, confirm }) {
      const client = await clientOf(flags, terminal)
      const decide = (asDryRun: boolean) =>
        client.post<Outcome>(`${path}/${type === 'retried' ? 'retry' : 'drop'}`, {
          ids,
          all,
          ...(error === undefined ? {} : { error }),
          dryRun: asDryRun,
        })
      if (!dryRun && type === 'dropped') {
        const would = await decide(true)
        if (would.ids.length > 0) await confirm(job, would.ids.length)
      }
      return decide(dryRun)
    },
  }
}
