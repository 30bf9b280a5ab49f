/** Where text goes. `live`: a person looks at it and lines may be drawn over. */
export interface Output {
  write(text: string): void
  readonly live: boolean
  readonly columns: number
}

/** What a verb may use of the process it runs in. */
export interface Terminal {
  /** Data. */
  readonly out: Output
  /** Messages, progress, errors. */
  readonly err: Output
  readonly env: Readonly<Record<string, string | undefined>>
  /** Asks whoever sits there, and gives the line that was answered; absent where nobody does. */
  readonly ask?: (question: string) => Promise<string>
}

export function processTerminal(): Terminal {
  const someone = process.stdin.isTTY === true && process.stderr.isTTY === true && process.env.CI === undefined
  return { out: outputOf(process.stdout), err: outputOf(process.stderr), env: process.env, ...(someone ? { ask } : {}) }
}

async function ask(question: string): Promise<string> {
  const { createInterface } = await import('node:readline/promises')
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  // The end of the input (Ctrl-D) is an answer too: none.
  const ended = new Promise<string>((resolve) => lines.once('close', () => resolve('')))
  try {
    return await Promise.race([lines.question(question), ended])
  } finally {
    lines.close()
  }
}

function outputOf(stream: NodeJS.WriteStream): Output {
  return {
    write: (text) => void stream.write(text),
    live: stream.isTTY === true && process.env.TERM !== 'dumb' && process.env.CI === undefined,
    // Some terminals do not know their width and say 0.
    columns: stream.columns || 80,
  }
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow'
export type Paint = (style: Style, text: string) => string

/** Colours where a person looks and did not ask for none (NO_COLOR, --no-color). */
export function painter(output: Output, env: Terminal['env'], wanted: boolean): Paint {
  const on = wanted && output.live && !env.NO_COLOR
  const codes: Record<Style, string> = { bold: '1', dim: '2', red: '31', green: '32', yellow: '33' }
  return (style, text) => (on ? `\x1b[${codes[style]}m${text}\x1b[0m` : text)
}
