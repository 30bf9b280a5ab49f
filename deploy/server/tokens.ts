import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { StreamError } from '../../engine/errors.ts'
import { readRecords } from '../../engine/log/read-records.ts'
import type { EpochMs } from '../../engine/model/record.ts'
import type { Log } from '../../engine/ports/log.ts'
import type { Clock } from '../../engine/ports/world.ts'
import { TopicAppender } from '../topic-appender.ts'
import { Turn } from '../turn.ts'

/** viewer: read. operator: what runs, publishes and is taken in. deployer: new versions. admin: tokens and the audit log too, and all else. */
export const scopes = ['viewer', 'operator', 'deployer', 'admin'] as const
export type Scope = (typeof scopes)[number]

const topic = 'reprise.tokens'

const change = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('created'),
    name: z.string(),
    scopes: z.array(z.enum(scopes)),
    sha256: z.string(),
    at: z.number(),
    by: z.string(),
    expiresAt: z.number().optional(),
  }),
  z.object({ type: z.literal('revoked'), name: z.string(), at: z.number(), by: z.string() }),
])
type Change = z.infer<typeof change>

export interface Token {
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly createdAt: EpochMs
  readonly by: string
  /** Undefined: never. */
  readonly expiresAt: EpochMs | undefined
  readonly sha256: Buffer
}

export interface NewToken {
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly expiresAt?: EpochMs | undefined
}

/**
 * Who may do what. A token is shown once, when it is made; what is kept, in a topic of the log, is its hash.
 * Invariant: what is in memory is the fold of that topic.
 */
export class Tokens {
  private readonly log: Log
  private readonly clock: Clock
  private readonly appender: TopicAppender
  private readonly known = new Map<string, Token>()
  private readonly turn = new Turn()

  static async open(log: Log, clock: Clock): Promise<Tokens> {
    const tokens = new Tokens(log, clock)
    if (log.topic(topic) !== undefined) {
      for await (const { value } of readRecords(log, topic, 0, log.bounds(topic, 0).start))
        tokens.apply(change.parse(JSON.parse(Buffer.from(value!).toString())))
    }
    return tokens
  }

  private constructor(log: Log, clock: Clock) {
    this.log = log
    this.clock = clock
    this.appender = new TopicAppender(log, topic, topic)
  }

  all(): readonly Token[] {
    return [...this.known.values()]
  }

  /** Whether anybody could make more of them: without, no token is a way in. */
  get hasAdmin(): boolean {
    return this.all().some((token) => token.scopes.includes('admin') && this.isValid(token))
  }

  /** @returns the token itself, which is kept nowhere. Errors: TOKEN_EXISTS. */
  create(token: NewToken, by: string): Promise<string> {
    return this.turn.take(() => this.createNow(token, by))
  }

  /** In force at once. Errors: TOKEN_UNKNOWN. */
  revoke(name: string, by: string): Promise<void> {
    return this.turn.take(() => this.revokeNow(name, by))
  }

  private async createNow({ name, scopes, expiresAt }: NewToken, by: string): Promise<string> {
    if (this.known.has(name))
      throw new StreamError('TOKEN_EXISTS', { name }, { fix: `choose another name, or: reprise token revoke ${name}` })
    // The prefix is what scanners for leaked secrets look for.
    const secret = `rep_${randomBytes(32).toString('base64url')}`
    const at = this.clock.now()
    await this.change({
      type: 'created',
      name,
      scopes: [...scopes],
      sha256: hashOf(secret).toString('hex'),
      at,
      by,
      ...(expiresAt === undefined ? {} : { expiresAt }),
    })
    return secret
  }

  private async revokeNow(name: string, by: string): Promise<void> {
    if (!this.known.has(name)) throw new StreamError('TOKEN_UNKNOWN', { name }, { fix: 'reprise token ls' })
    await this.change({ type: 'revoked', name, at: this.clock.now(), by })
  }

  /** Whose it is; undefined when it is unknown, revoked or expired. Takes as long for any. */
  find(secret: string): Token | undefined {
    const hash = hashOf(secret)
    let found: Token | undefined
    for (const token of this.known.values()) if (timingSafeEqual(hash, token.sha256)) found = token
    return found && this.isValid(found) ? found : undefined
  }

  /** Still the same, neither revoked nor expired. */
  isValid(token: Token): boolean {
    return this.known.get(token.name) === token && (token.expiresAt ?? Number.POSITIVE_INFINITY) > this.clock.now()
  }

  private async change(change: Change): Promise<void> {
    await this.log.createTopic({ name: topic, partitions: 1, kind: 'internal' })
    await this.appender.append([{ key: Buffer.from(change.name), value: Buffer.from(JSON.stringify(change)), eventTime: change.at }])
    this.apply(change)
  }

  private apply(change: Change): void {
    if (change.type === 'revoked') {
      this.known.delete(change.name)
      return
    }
    const { name, scopes, at, by, expiresAt, sha256 } = change
    this.known.set(name, { name, scopes, createdAt: at, by, expiresAt, sha256: Buffer.from(sha256, 'hex') })
  }
}

function hashOf(secret: string): Buffer {
  return createHash('sha256').update(secret).digest()
}
