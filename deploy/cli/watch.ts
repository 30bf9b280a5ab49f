import { codeOf } from '../../engine/errors.ts'
import type { Clock } from '../../engine/ports/world.ts'
import { realClock } from '../real-clock.ts'
import { rowsOf } from './screen.ts'
import { type StopSignals, stopSignals } from './stop-signals.ts'
import type { Terminal } from './terminal.ts'
import { type CommonFlags, say } from './verb.ts'

const lookEveryMs = 1000
/** Lines that nobody looks at while they come. */
const linesEveryMs = 30_000

/** It is about to stop, or has: the next one is waited for. */
const awayCodes = new Set(['SERVER_UNREACHABLE', 'SERVER_STOPPING'])

export interface Watched<T> {
  look(): Promise<T>
  /** For a person: drawn over again. */
  screen(view: T): string
  /** For pipes and logs. */
  lines(view: T): string
}

export interface Watch<T> {
  /** As it was seen last. */
  readonly last: T
  /** Of a process that was ended by the signal that came. */
  readonly exitCode: number
}

/**
 * Shows what is seen until a signal comes: each second on a screen and as JSON, each 30 seconds as lines. A server that goes away is
 * waited for, once it has answered. Errors: those of the first look; of later ones all but those of such a server.
 */
export async function watch<T>(
  terminal: Terminal,
  flags: CommonFlags,
  { look, screen, lines }: Watched<T>,
  clock: Clock = realClock,
  signals: StopSignals = stopSignals(() => {}),
): Promise<Watch<T>> {
  const { out } = terminal
  const drawn = out.live && !flags.json
  let rows = 0
  const draw = (text: string) => {
    out.write(`${rows === 0 ? '' : `\x1b[${rows}A`}\x1b[J${text}`)
    rows = rowsOf(text, out.columns)
  }
  let awaySince: string | undefined
  try {
    let last: T = await look()
    for (let seen: T | undefined = last; ; seen = await lookAgain()) {
      if (seen !== undefined) {
        last = seen
        if (flags.json) out.write(`${JSON.stringify(seen)}\n`)
        else if (drawn) draw(screen(seen))
        else out.write(lines(seen))
      } else if (drawn) draw(`${screen(last)}! the server does not answer since ${awaySince}; it is asked again each second\n`)
      await clock.sleep(flags.json || drawn || awaySince !== undefined ? lookEveryMs : linesEveryMs, signals.stop)
      if (signals.stop.aborted) return { last, exitCode: signals.exitCode }
    }
  } finally {
    signals.end()
  }

  /** Undefined: there is nobody to ask. */
  async function lookAgain(): Promise<T | undefined> {
    try {
      const seen = await look()
      if (awaySince !== undefined && !drawn) say(terminal, flags, 'the server answers again')
      awaySince = undefined
      return seen
    } catch (error) {
      if (!awayCodes.has(codeOf(error) ?? '')) throw error
      if (awaySince === undefined && !drawn) say(terminal, flags, 'the server does not answer; it is asked again each second')
      awaySince ??= new Date(clock.now()).toISOString().slice(11, 19)
      return undefined
    }
  }
}
