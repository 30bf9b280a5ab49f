import { expect, test } from 'vitest'
import { BlockView, viewsOf } from '../../../engine/block/block-view.ts'
import { codeOf } from '../../../engine/errors.ts'
import type { JournalRecord } from '../../../engine/model/slice.ts'
import { JournalWriter, parseJournalRecord } from '../../../engine/runtime/journal-codec.ts'
import { emptyTotals } from '../../../engine/task/reports.ts'
import { slack } from '../task/blocks.ts'

const where = { topic: 'job.v1.journal', partition: 0, offset: 7 }

const record: JournalRecord = {
  slice: { seq: 3, ranges: [{ input: 0, from: 1, to: 4 }], processing: 5, idle: [1], advanceTo: { watermark: null, processing: null } },
  watermark: 'Infinity',
  input: [{ count: 3, digest: 'a' }],
  output: { count: 2, digest: 'b' },
  totals: emptyTotals(),
  due: true,
  control: 0,
  semantics: 1,
  node: 'v20',
  hash: 'c',
}

test('a journal record comes back as it was', () => {
  const block = new BlockView({ ...viewsOf(slack(new JournalWriter().block(record, 9))), blocks: [0], release() {} }, 0)
  expect(block.count).toBe(1)
  expect(block.eventTime(0)).toBe(9)
  expect(parseJournalRecord(block.value(0), where)).toEqual(record)
})

test.each([
  ['no JSON', '{'],
  ['no slice', '{"hash":"x"}'],
  ['no hash', '{"slice":{"seq":1}}'],
  ['null', 'null'],
])('what is no journal record is damage: %s', (_, text) => {
  let thrown: unknown
  try {
    parseJournalRecord(Buffer.from(text), where)
  } catch (error) {
    thrown = error
  }
  expect(codeOf(thrown)).toBe('LOG_CORRUPT')
  expect(thrown).toMatchObject({ details: where })
})

test('a tombstone is no journal record', () => {
  expect(() => parseJournalRecord(null, where)).toThrow('LOG_CORRUPT')
})
