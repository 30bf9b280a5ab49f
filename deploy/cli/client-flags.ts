import type { Command } from 'commander'
import { StreamError } from '../../engine/errors.ts'
import type { ApiClient } from '../client/api-client.ts'
import type { Terminal } from './terminal.ts'
import { type CommonFlags, type VerbHelp, verb } from './verb.ts'

export interface ClientFlags extends CommonFlags {
  readonly server?: string
}

/** A verb that asks a server. */
export function clientVerb(name: string, help: VerbHelp): Command {
  return verb(name, help).option('--server <url>', 'the server (also: REPRISE_SERVER; default: http://127.0.0.1:8787)')
}

export async function clientOf(flags: ClientFlags, terminal: Terminal): Promise<ApiClient> {
  const url = flags.server ?? terminal.env.REPRISE_SERVER ?? 'http://127.0.0.1:8787'
  if (!URL.canParse(url))
    throw new StreamError('USAGE', { reason: `--server ${url} is not a URL` }, { fix: 'for example http://127.0.0.1:8787' })
  const { ApiClient } = await import('../client/api-client.ts')
  return new ApiClient({ url, user: terminal.env.REPRISE_USER ?? terminal.env.USER, timeoutMs: 30_000 })
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
