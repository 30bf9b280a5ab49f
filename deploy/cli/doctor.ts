import type { Command } from 'commander'
import type { Check } from '../doctor.ts'
import { exitCodes } from './exit-code.ts'
import { painter, type Terminal } from './terminal.ts'
import { type CommonFlags, Exit, printData, table, verb } from './verb.ts'

interface DoctorFlags extends CommonFlags {
  readonly data: string
}

export function doctorVerb(terminal: Terminal): Command {
  return verb('doctor', {
    summary: 'Check this machine and the data directory',
    examples: [
      ['reprise doctor', 'Node.js, clock, disk and ./reprise-data'],
      ['reprise doctor --data /var/lib/reprise', 'another data directory'],
    ],
  })
    .option('--data <dir>', 'the data directory', 'reprise-data')
    .action(async (_, command: Command) => {
      const flags = command.optsWithGlobals<DoctorFlags>()
      const { checkMachine } = await import('../doctor.ts')
      const checks = await checkMachine(flags.data)
      printData(terminal, flags, { checks }, textOf(checks, terminal, flags))
      if (checks.some(({ state }) => state === 'failed')) throw new Exit(exitCodes.failed)
    })
}

function textOf(checks: readonly Check[], terminal: Terminal, { color }: CommonFlags): string {
  const paint = painter(terminal.out, terminal.env, color)
  const lines = table(checks.map(({ state, name, text }) => [{ ok: '✔', warning: '!', failed: '✖' }[state], name, text])).split('\n')
  const styles = { ok: 'green', warning: 'yellow', failed: 'red' } as const
  return checks.map(({ state, fix }, i) => `${paint(styles[state], lines[i]!)}\n${fix === undefined ? '' : `    fix  ${fix}\n`}`).join('')
}
