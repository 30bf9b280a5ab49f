import { expect, test } from 'vitest'
import { describeWindow, session, sliding, tumbling, updates } from '../../../operators/windows/spec.ts'

test('windows describe themselves', () => {
  const specs = [
    tumbling('1d', { allowedLateness: '1h' }),
    sliding('60s', '1s'),
    session('10s'),
    tumbling(1500, { time: 'processing' }),
    sliding('1d', '1h', { early: '1m', allowedLateness: '1h' }),
    session('10s', { early: '1m', time: 'processing' }),
  ]
  expect(specs.map(describeWindow)).toEqual([
    'tumbling 1d, allowed lateness 1h',
    'sliding 1m every 1s',
    'session gap 10s',
    'tumbling 1500ms, processing time',
    'sliding 1d every 1h, allowed lateness 1h, early every 1m',
    'session gap 10s, early every 1m, processing time',
  ])
  expect(specs.map(updates)).toEqual([true, false, false, false, true, true])
})

test('windows that make no sense are refused with the reason', () => {
  expect(() => sliding('1s', '2s')).toThrow(/JOB_INVALID.*count in none/)
  expect(() => tumbling('10x')).toThrow(/size of a tumbling window/)
  expect(() => session('0s')).toThrow(/at least 1 ms/)
  expect(() => tumbling('1s', { time: 'processing', allowedLateness: '1s' })).toThrow(/nothing is late by processing time/)
  expect(() => tumbling('1s', { early: 'soon' })).toThrow(/JOB_INVALID.*time between early results/)
  expect(() => tumbling('1s', { early: 0 })).toThrow(/at least 1 ms/)
  expect(() => sliding('10s', '1s', { early: '10s' })).toThrow(/over before it gave an early result/)
  expect(() => tumbling('1s', { time: 'ingest' as 'event' })).toThrow(/no such time/)
})
