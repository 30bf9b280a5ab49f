import { expect, test } from 'vitest'
import { failureOf } from '../../../deploy/server/thread-failure.ts'
import { StreamError } from '../../../engine/errors.ts'

test('the record that a version stopped at is kept apart from the words', () => {
  const thrown = failureOf(new StreamError('OPERATOR_THREW', { topic: 'orders', partition: 0, offset: 7, operator: 'sum' }))
  expect(thrown).toMatchObject({ code: 'OPERATOR_THREW', record: { topic: 'orders', partition: 0, offset: 7 } })
  expect(failureOf(new StreamError('OPERATOR_THREW', { operator: 'timer' })).record).toBeUndefined()
  // No record is to blame where the log has none.
  expect(failureOf(new StreamError('OFFSET_OUT_OF_RANGE', { topic: 'orders', partition: 0, offset: 7 })).record).toBeUndefined()
  expect(failureOf(new Error('no'))).toEqual({ code: 'VERSION_CRASHED', message: 'no' })
})
