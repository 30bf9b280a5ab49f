import pino, { type Logger as PinoLogger } from 'pino'
import type { Logger } from '../../engine/ports/world.ts'
import { errorFields } from './error-fields.ts'
import { lineForPeople } from './log-line.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

export interface LoggerOptions {
  readonly level: LogLevel
  /** `json`: one object a line, for collectors. `text`: for people. */
  readonly format: 'json' | 'text'
  /** Takes whole lines. Absent: standard error, synchronously, so that nothing is lost when the process ends. */
  readonly write?: (line: string) => void
}

/** The Logger port on pino. Times are UTC. */
export function createLogger({ level, format, write }: LoggerOptions): Logger {
  const toStderr = pino.destination({ fd: 2, sync: true })
  const out = write ?? ((line: string) => void toStderr.write(line))
  const destination = { write: (line: string) => out(format === 'json' ? line : lineForPeople(line)) }
  const options = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { error: errorFields, err: errorFields },
  }
  return portOf(pino(options, destination))
}

function portOf(logger: PinoLogger): Logger {
  return {
    debug: (fields, message) => logger.debug(fields, message),
    info: (fields, message) => logger.info(fields, message),
    warn: (fields, message) => logger.warn(fields, message),
    error: (fields, message) => logger.error(fields, message),
    child: (fields) => portOf(logger.child(fields)),
  }
}
