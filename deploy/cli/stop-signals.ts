import { exitCodes } from './exit-code.ts'
import type { Terminal } from './terminal.ts'
import { type CommonFlags, say } from './verb.ts'

export interface StopSignals {
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly stop: AbortSignal
  /** Of a process that the first of them ended; 0 until it comes. */
  readonly exitCode: number
  /** Gives the signals back. */
  end(): void
}

/** The first signal asks for a clean stop, the second one ends the process at once: what was acknowledged is safe either way. */
export function stopSignals(onFirst: () => void): StopSignals {
  const controller = new AbortController()
  let exitCode: number = exitCodes.done
  const end = onSignals((signal) => {
    if (controller.signal.aborted) process.exit(exitCodeOf(signal))
    exitCode = exitCodeOf(signal)
    controller.abort()
    onFirst()
  })
  return {
    stop: controller.signal,
    get exitCode() {
      return exitCode
    },
    end,
  }
}

/** Waits for what a server does. A signal ends the process at once, not what the server does: that is said. */
export async function whileServerWorks<T>(work: () => Promise<T>, goesOn: string, terminal: Terminal, flags: CommonFlags): Promise<T> {
  const end = onSignals((signal) => {
    say(terminal, flags, goesOn)
    process.exit(exitCodeOf(signal))
  })
  try {
    return await work()
  } finally {
    end()
  }
}

/** @returns what gives the signals back. */
function onSignals(handle: (signal: NodeJS.Signals) => void): () => void {
  process.on('SIGINT', handle)
  process.on('SIGTERM', handle)
  return () => {
    process.off('SIGINT', handle)
    process.off('SIGTERM', handle)
  }
}

function exitCodeOf(signal: NodeJS.Signals): number {
  return signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated
}
