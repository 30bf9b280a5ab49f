import { format } from 'node:util'
import type { Logger } from '../../ports/world.ts'

/** The `console` that job code sees: its lines go to the logger. During a replay they are written again. */
export function jobConsole(logger: Logger): Console {
  const line =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (...parts: unknown[]) =>
      logger[level]({ text: format(...parts) }, 'job wrote a line')
  const nothing = () => {}
  const known: Partial<Console> = {
    log: line('info'),
    info: line('info'),
    dir: (item: unknown) => line('info')(item),
    table: line('info'),
    debug: line('debug'),
    trace: line('debug'),
    warn: line('warn'),
    error: line('error'),
    assert: (condition?: boolean, ...parts: unknown[]) => (condition ? undefined : line('error')('assertion failed', ...parts)),
  }
  // Groups, counters and time measurements of the console are for a terminal: they do nothing here.
  return new Proxy(known, { get: (target, name) => target[name as keyof Console] ?? nothing }) as Console
}
