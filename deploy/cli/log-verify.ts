import type { Command } from 'commander'
import type { LogReport } from '../../engine/log/embedded/verify-log.ts'
import { exitCodes } from './exit-code.ts'
import type { Terminal } from './terminal.ts'
import { type CommonFlags, Exit, printData, table, verb } from './verb.ts'

interface LogVerifyFlags extends CommonFlags {
  readonly data: string
}

export function logVerifyVerb(terminal: Terminal): Command {
  return verb('verify', {
    summary: 'Read everything and check every checksum; changes nothing. For a log that nobody has open',
    examples: [['reprise log verify --data data', 'exit code 1 and a list, when something is damaged']],
  })
    .requiredOption('--data <dir>', 'the data directory')
    .action(async (_, command: Command) => {
      const flags = command.optsWithGlobals<LogVerifyFlags>()
      const [{ NodeFileSystem }, { verifyLog }, { logDirectoryOf }, { besideLog }] = await Promise.all([
        import('../../engine/log/embedded/node-file-system.ts'),
        import('../../engine/log/embedded/verify-log.ts'),
        import('../open-existing-log.ts'),
        import('../beside-log.ts'),
      ])
      const fs = new NodeFileSystem(await logDirectoryOf(flags.data))
      const report = await verifyLog(fs, await besideLog(flags.data))
      printData(terminal, flags, report, textOf(report))
      if (report.faults.length > 0) throw new Exit(exitCodes.failed)
    })
}

function textOf({ faults, torn, unlisted, files, frames, blocks, bytes }: LogReport): string {
  const counted = (value: number, noun: string) => `${value.toLocaleString('en-US')} ${noun}${value === 1 ? '' : 's'}`
  const read = `read ${counted(files, 'file')}, ${counted(frames, 'frame')}, ${counted(blocks, 'block')}, ${counted(bytes, 'byte')}\n`
  const notes = [
    ...(torn === undefined ? [] : [`torn end (no fault): ${torn.file} at ${torn.position}, ${torn.what}\n`]),
    ...(unlisted.length === 0
      ? []
      : [`${faults.length === 0 ? 'removed at the next start' : 'in no list of files'}: ${unlisted.join(', ')}\n`]),
  ]
  if (faults.length === 0) return `${read}${notes.join('')}no damage\n`
  const rows = faults.map(({ file, position, what }) => [file, String(position), what])
  return `${read}${notes.join('')}${table([['FILE', 'POSITION', 'DAMAGE'], ...rows])}`
}
