import { runProgram } from '../../../deploy/cli/program.ts'
import type { Terminal } from '../../../deploy/cli/terminal.ts'

export interface Ran {
  readonly exit: number
  readonly out: string
  readonly err: string
}

/** Runs a command line in this process. `live`: as if a person looked at both outputs. `answer`: what is said to a question; absent: nobody is there. */
export async function reprise(
  args: string,
  { live = false, env = {}, answer }: { live?: boolean; env?: Record<string, string>; answer?: string } = {},
): Promise<Ran> {
  const texts = { out: '', err: '' }
  const output = (name: 'out' | 'err') => ({ write: (text: string) => void (texts[name] += text), live, columns: 80 })
  const ask = async (question: string) => {
    texts.err += question
    return answer!
  }
  const terminal: Terminal = { out: output('out'), err: output('err'), env, ...(answer === undefined ? {} : { ask }) }
  const exit = await runProgram(args.split(' ').filter(Boolean), terminal)
  return { exit, ...texts }
}
