import type { Command } from 'commander'
import { StreamError } from '../../engine/errors.ts'
import type { ApiClient } from '../client/api-client.ts'
import type { Terminal } from './terminal.ts'
import { type CommonFlags, type VerbHelp, verb } from './verb.ts'

export interface ClientFlags extends CommonFlags {
  readonly server?: string
  readonly tokenFile?: string
}

/** A verb that asks a server. */
export function clientVerb(name: string, help: VerbHelp): Command {
  return asking(verb(name, help))
}

/** With the flags that say whom to ask. */
export function asking(command: Command): Command {
  return command
    .option('--server <url>', 'the server (also: REPRISE_SERVER; default: http://127.0.0.1:8787)')
    .option('--token-file <file>', 'what lets you in, where the server wants a token (also: the token itself in REPRISE_TOKEN)')
}

export async function clientOf(flags: ClientFlags, terminal: Terminal): Promise<ApiClient> {
  const url = flags.server ?? terminal.env.REPRISE_SERVER ?? 'http://127.0.0.1:8787'
  if (!URL.canParse(url))
    throw new StreamError('USAGE', { reason: `--server ${url} is not a URL` }, { fix: 'for example http://127.0.0.1:8787' })
  const { ApiClient } = await import('../client/api-client.ts')
  return new ApiClient({
    url,
    user: terminal.env.REPRISE_USER ?? terminal.env.USER,
    token: await tokenOf(flags, terminal),
    timeoutMs: 30_000,
  })
}

/** Never a flag: those show in lists of processes and in histories. */
async function tokenOf({ tokenFile }: ClientFlags, { env }: Terminal): Promise<string | undefined> {
  const token = (tokenFile === undefined ? env.REPRISE_TOKEN : await textOf(tokenFile))?.trim()
  if (token === undefined || token === '') return undefined
  if (/^[\x21-\x7e]+$/.test(token)) return token
  const place = tokenFile === undefined ? 'REPRISE_TOKEN' : tokenFile
  throw new StreamError('USAGE', { reason: `what is in ${place} is not a token` }, { fix: 'one line that begins with rep_' })
}

async function textOf(file: string): Promise<string> {
  const [{ readFile }, { fileUnreadable }] = await Promise.all([import('node:fs/promises'), import('../file-unreadable.ts')])
  return readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    throw fileUnreadable(file, cause)
  })
}

/** `2` or `v2`. */
export function versionOf(text: string | undefined): { version: number } | Record<string, never> {
  if (text === undefined) return {}
  const found = /^v?([1-9]\d*)$/.exec(text)
  if (found !== null) return { version: Number(found[1]) }
  throw new StreamError('USAGE', { reason: `${text} is not a version` }, { fix: 'write 2 or v2' })
}

export const reasonOf = ({ message }: { message?: string }): { reason: string } | Record<string, never> =>
  message === undefined ? {} : { reason: message }
