import { expect, test } from 'vitest'
import { BlockBuilder } from '../../../engine/block/block-builder.ts'
import { BlockView, viewsOf } from '../../../engine/block/block-view.ts'
import { codeOf } from '../../../engine/errors.ts'
import { exchangeDecoder } from '../../../engine/task/exchange-codec.ts'
import { ExchangeWriter } from '../../../engine/task/exchange-writer.ts'
import { TaskMoment } from '../../../engine/task/moment.ts'
import { slack } from './blocks.ts'

test('a value that can not be carried leaves nothing behind for the next record', () => {
  const builder = new BlockBuilder()
  const moment = new TaskMoment()
  const budget = { left: 10 }
  const writer = new ExchangeWriter([builder], moment, 0, budget)
  let code: unknown
  for (const [key, value] of [
    ['a', 1],
    ['bad', { f: () => 1 }],
    ['c', { x: 3 }],
  ] as const) {
    moment.key = key
    try {
      writer.write(value)
    } catch (error) {
      code = codeOf(error)
    }
  }
  expect(code).toBe('STATE_VALUE_UNSUPPORTED')
  expect(budget.left).toBe(8)
  const block = new BlockView({ ...viewsOf(slack(builder.finish())), blocks: [0], release() {} }, 0)
  expect(exchangeDecoder(undefined)(block, 0, block.count).values).toMatchObject([
    { key: 'a', value: 1 },
    { key: 'c', value: { x: 3 } },
  ])
})
