import { expect, test } from 'vitest'
import { createLogger, type LoggerOptions } from '../../../deploy/observability/logger.ts'
import { StreamError } from '../../../engine/errors.ts'

test('a JSON line carries time, level, bound fields and the message', () => {
  const { logger, lines } = collecting({ level: 'info', format: 'json' })
  logger.child({ job: 'orders' }).child({ task: 3 }).warn({ seq: 41 }, 'checkpoint is late')
  const line = JSON.parse(lines[0]!)
  expect(line).toEqual({
    level: 'warn',
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    job: 'orders',
    task: 3,
    seq: 41,
    msg: 'checkpoint is late',
  })
})

test('lines below the level are left out', () => {
  const { logger, lines } = collecting({ level: 'warn', format: 'json' })
  logger.debug({}, 'no')
  logger.info({}, 'no')
  logger.warn({}, 'yes')
  logger.error({}, 'yes')
  expect(lines).toHaveLength(2)
})

test('an error keeps its code, details and cause', () => {
  const { logger, lines } = collecting({ level: 'info', format: 'json' })
  logger.error(
    { error: new StreamError('DISK_FULL', { file: 'a.log' }, { cause: new Error('ENOSPC'), fix: 'make room' }) },
    'commit refused',
  )
  expect(JSON.parse(lines[0]!).error).toMatchObject({
    code: 'DISK_FULL',
    details: { file: 'a.log' },
    fix: 'make room',
    message: expect.stringContaining('DISK_FULL'),
    stack: expect.stringContaining('logger.test'),
    cause: { message: 'ENOSPC' },
  })
})

test('a line for people is one line', () => {
  const { logger, lines } = collecting({ level: 'debug', format: 'text' })
  logger.info({ partition: 2, topic: 'a b', error: new Error('went wrong'), none: '' }, 'checkpoint written')
  logger.debug({}, 'plain')
  expect(lines[0]).toMatch(/^\d\d:\d\d:\d\d\.\d{3} info {2}checkpoint written {2}partition=2 topic="a b" error=went wrong none=""\n$/)
  expect(lines[1]).toMatch(/ debug plain\n$/)
})

function collecting(options: LoggerOptions) {
  const lines: string[] = []
  return { logger: createLogger({ ...options, write: (line) => lines.push(line) }), lines }
}
