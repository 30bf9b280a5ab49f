import path from 'node:path'
import type { Command } from 'commander'
import { type ErrorCode, errorOf } from '../../engine/errors.ts'
import { noProbe, silentLogger } from '../../engine/ports/world.ts'
import { asking, type ClientFlags, clientOf } from './client-flags.ts'
import { bytesText } from './size-text.ts'
import type { Terminal } from './terminal.ts'
import { printData, verb } from './verb.ts'

interface BackupFlags extends ClientFlags {
  readonly data?: string
  readonly to: string
}

interface Backup {
  /** On the machine of the server, where one was asked. */
  readonly directory: string
  readonly bytes: number
}

export function backupVerb(terminal: Terminal): Command {
  return asking(
    verb('backup', {
      summary: 'Copy a data directory as of one point, while its server runs or while nothing does; the copy is a data directory',
      examples: [
        ['reprise backup --to /backups/monday', 'the server copies what it serves, on its own machine; all goes on meanwhile'],
        ['reprise backup --data data --to /backups/monday', 'of a directory that no process has open'],
        ['reprise log verify --data /backups/monday', 'check every byte of the copied log'],
        ['reprise server --data /backups/monday', 'restore: start with it, or with a copy of it'],
      ],
    }),
  )
    .requiredOption('--to <dir>', 'where: a directory that is not there yet, or is empty')
    .option('--data <dir>', 'a data directory that no process has open')
    .action(async (_, command: Command) => {
      const flags = command.optsWithGlobals<BackupFlags>()
      const to = path.resolve(flags.to)
      const made = flags.data === undefined ? await backedUpByServer(flags, to, terminal) : await backedUp(flags.data, to)
      printData(
        terminal,
        flags,
        made,
        `${made.directory} holds ${bytesText(made.bytes)}\ncheck: reprise log verify --data ${made.directory}\n`,
      )
    })
}

async function backedUpByServer(flags: ClientFlags, to: string, terminal: Terminal): Promise<Backup> {
  const { endOf } = await import('./operation.ts')
  const client = await clientOf(flags, terminal)
  const { result, error } = await endOf<Backup>(client, await client.post('/api/v1/backups', { to }), {
    timeoutMs: Number.POSITIVE_INFINITY,
  })
  if (error !== null) throw errorOf({ code: error.code as ErrorCode, details: error.details, fix: error.fix })
  return result!
}

async function backedUp(directory: string, to: string): Promise<Backup> {
  const [{ DataDirectory }, { logDirectoryOf }] = await Promise.all([import('../data-directory.ts'), import('../open-existing-log.ts')])
  await logDirectoryOf(directory)
  const data = await DataDirectory.open({ directory, logger: silentLogger, probe: noProbe, memoryBytesMax: 0, leadsJobs: false })
  try {
    return { directory: to, bytes: await data.backup(to) }
  } finally {
    await data.close()
  }
}
