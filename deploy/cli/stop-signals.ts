import { exitCodes } from './exit-code.ts'

export interface StopSignals {
  /** Aborted by the first SIGINT or SIGTERM. */
  readonly stop: AbortSignal
  /** Gives the signals back. */
  end(): void
}

/** The first signal asks for a clean stop, the second one ends the process at once: what was acknowledged is safe either way. */
export function stopSignals(onFirst: () => void): StopSignals {
  const controller = new AbortController()
  const handle = (signal: NodeJS.Signals) => {
    if (controller.signal.aborted) process.exit(signal === 'SIGINT' ? exitCodes.interrupted : 143)
    controller.abort()
    onFirst()
  }
  process.on('SIGINT', handle)
  process.on('SIGTERM', handle)
  return {
    stop: controller.signal,
    end() {
      process.off('SIGINT', handle)
      process.off('SIGTERM', handle)
    },
  }
}
