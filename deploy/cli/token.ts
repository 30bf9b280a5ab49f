import { Command } from 'commander'
import { StreamError } from '../../engine/errors.ts'
import { silentLogger } from '../../engine/ports/world.ts'
import type { Scope, Tokens } from '../server/tokens.ts'
import { asking, type ClientFlags, clientOf } from './client-flags.ts'
import { confirm } from './confirm.ts'
import { durationOf } from './duration-flag.ts'
import { manyTimes } from './flag-values.ts'
import type { Terminal } from './terminal.ts'
import { printData, say, table, verb } from './verb.ts'

interface TokenFlags extends ClientFlags {
  readonly data?: string
}

interface CreateFlags extends TokenFlags {
  readonly scope: readonly string[]
  readonly expires?: string
}

interface Made {
  readonly token: string
  readonly name: string
  readonly scopes: readonly Scope[]
  readonly expiresAt: string | null
}

interface Listed {
  readonly items: readonly (Omit<Made, 'token'> & { readonly createdAt: string; readonly by: string; readonly valid: boolean })[]
}

/** `reprise token create|ls|revoke`: who may ask the server for what. */
export function tokenVerb(terminal: Terminal): Command {
  return new Command('token')
    .description('Who may ask a server for what: create, ls, revoke')
    .addCommand(createVerb(terminal))
    .addCommand(listVerb(terminal))
    .addCommand(revokeVerb(terminal))
}

function createVerb(terminal: Terminal): Command {
  return asking(
    verb('create', {
      summary: 'Make a token and print it; it is kept nowhere, so it is never shown again',
      examples: [
        ['reprise token create admin --scope admin --data data > admin.token', 'the first one, before the server runs'],
        ['reprise token create ci --scope deployer --expires 90d --token-file admin.token', 'by a server that runs'],
      ],
    }),
  )
    .argument('<name>', 'shows in the audit log')
    .addOption(
      manyTimes('--scope <scope>', 'viewer, operator (run, publish, take records in), deployer or admin (all); can be given again'),
    )
    .option('--expires <duration>', 'valid for so long, as 90d; else until it is revoked')
    .option('--data <dir>', 'a data directory that no server runs on')
    .action(async (name: string, _, command: Command) => {
      const flags = command.optsWithGlobals<CreateFlags>()
      const { scopes } = await import('../server/tokens.ts')
      const wanted = flags.scope.map((scope) => {
        if (scopes.some((one) => one === scope)) return scope as Scope
        throw new StreamError('USAGE', { reason: `--scope ${scope} is none` }, { fix: `one of ${scopes.join(', ')}` })
      })
      if (wanted.length === 0)
        throw new StreamError('USAGE', { reason: 'a token without a scope allows nothing' }, { fix: '--scope viewer, for example' })
      const expiresInMs = flags.expires === undefined ? undefined : durationOf('--expires', flags.expires)
      const asked = { name, scopes: wanted, ...(expiresInMs === undefined ? {} : { expiresInMs }) }
      const made =
        flags.data === undefined
          ? await (await clientOf(flags, terminal)).post<Made>('/api/v1/tokens', asked)
          : await makeIn(flags.data, asked)
      printData(terminal, flags, made, `${made.token}\n`)
      say(
        terminal,
        flags,
        `${name} may: ${made.scopes.join(', ')}${made.expiresAt === null ? '' : `, until ${made.expiresAt}`}. Keep the token now: it is shown once.`,
      )
    })
}

function listVerb(terminal: Terminal): Command {
  return asking(verb('ls', { summary: 'All tokens, by name', examples: [['reprise token ls --token-file admin.token', '']] })).action(
    async (_, command: Command) => {
      const flags = command.optsWithGlobals<TokenFlags>()
      const found = await (await clientOf(flags, terminal)).get<Listed>('/api/v1/tokens')
      const rows = found.items.map(({ name, scopes, createdAt, by, expiresAt, valid }) => [
        name,
        scopes.join(', '),
        createdAt.slice(0, 10),
        by,
        expiresAt === null ? 'never' : `${expiresAt.slice(0, 16).replace('T', ' ')}${valid ? '' : ' (over)'}`,
      ])
      printData(
        terminal,
        flags,
        found,
        rows.length === 0 ? 'no tokens\n' : table([['NAME', 'MAY', 'MADE', 'BY', 'EXPIRES (UTC)'], ...rows]),
      )
    },
  )
}

function revokeVerb(terminal: Terminal): Command {
  return asking(
    verb('revoke', {
      summary: 'Make a token invalid, at once',
      examples: [['reprise token revoke ci --token-file admin.token --yes', '']],
    }),
  )
    .argument('<name>')
    .option('--data <dir>', 'a data directory that no server runs on')
    .option('-y, --yes', 'do not ask')
    .action(async (name: string, _, command: Command) => {
      const flags = command.optsWithGlobals<TokenFlags & { readonly yes?: boolean }>()
      if (flags.yes !== true) await confirm(terminal, `Revoke the token ${name}?`)
      if (flags.data !== undefined) await withTokens(flags.data, (tokens) => tokens.revoke(name, 'command line'))
      else await (await clientOf(flags, terminal)).delete(`/api/v1/tokens/${encodeURIComponent(name)}`)
      printData(terminal, flags, { name, revoked: true }, `${name} is revoked\n`)
    })
}

async function makeIn(
  data: string,
  { name, scopes, expiresInMs }: { name: string; scopes: readonly Scope[]; expiresInMs?: number },
): Promise<Made> {
  const expiresAt = expiresInMs === undefined ? undefined : Date.now() + expiresInMs
  const token = await withTokens(data, (tokens) => tokens.create({ name, scopes, expiresAt }, 'command line'))
  return { token, name, scopes, expiresAt: expiresAt === undefined ? null : new Date(expiresAt).toISOString() }
}

async function withTokens<T>(directory: string, act: (tokens: Tokens) => Promise<T>): Promise<T> {
  const [{ DataDirectory }, { Tokens }, { realClock }] = await Promise.all([
    import('../data-directory.ts'),
    import('../server/tokens.ts'),
    import('../real-clock.ts'),
  ])
  const data = await DataDirectory.open({ directory, logger: silentLogger, probe: { at() {} }, memoryBytesMax: 0, leadsJobs: false })
  try {
    return await act(await Tokens.open(data.log, realClock))
  } finally {
    await data.close()
  }
}
