import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { BlockBuilder } from '../../../engine/block/block-builder.ts'
import { BlockView, viewsOf } from '../../../engine/block/block-view.ts'
import { codeOf } from '../../../engine/errors.ts'
import { TaskMoment } from '../../../engine/task/moment.ts'
import { Sink } from '../../../engine/task/sink.ts'
import { topic } from '../../../index.ts'
import { slack } from './blocks.ts'

const row = z.object({ id: z.string(), n: z.number() })
const table = topic('rows', { value: row, kind: 'table', key: ({ id }) => id })
const stream = topic('events', { value: row, key: ({ id }) => id })

describe('a table', () => {
  test('replaces a row that is taken back and given anew, without a tombstone', () => {
    const { write, take, written } = sinkTo(table.definition)
    write({ id: 'a', n: 1 })
    take({ id: 'a', n: 1 })
    write({ id: 'a', n: 2 })
    expect(written()).toEqual(['a {"id":"a","n":1}', 'a {"id":"a","n":2}'])
  })

  test('has a tombstone for a row that is taken back and not replaced, at the latest when the slice ends', () => {
    const { write, take, settle, written } = sinkTo(table.definition)
    take({ id: 'a', n: 1 })
    write({ id: 'b', n: 2 })
    take({ id: 'b', n: 2 })
    take({ id: 'c', n: 3 })
    settle()
    expect(written()).toEqual(['a null', 'b {"id":"b","n":2}', 'b null', 'c null'])
  })
})

test('a row that is taken back is gone also when the one to replace it is refused', () => {
  const { write, take, settle, written } = sinkTo(table.definition)
  write({ id: 'a', n: 1 })
  take({ id: 'a', n: 1 })
  expect(codeOf(thrownBy(() => write({ id: 'a', n: 'x' })))).toBe('OUTPUT_INVALID')
  settle()
  expect(written()).toEqual(['a {"id":"a","n":1}', 'a null'])
})

test('a tombstone for a table that has a key of its own goes under the key at hand', () => {
  const { write, written, moment } = sinkTo(table.definition)
  write({ id: 'a', n: 1 })
  moment.key = 'a'
  write(null)
  expect(written()).toEqual(['a {"id":"a","n":1}', 'a null'])
})

test('rows whose keys are one in the log are one row', () => {
  const { write, take, written } = sinkTo(table.definition)
  take({ id: '\ud800', n: 1 })
  write({ id: '\ud801', n: 2 })
  expect(written()).toEqual(['\ufffd {"id":"\\ud801","n":2}'])
})

test('a row whose key is not valid is refused when it is taken back, not at the end of the slice', () => {
  const nan = topic('nan', { value: row, kind: 'table', key: () => Number.NaN })
  const { take, settle } = sinkTo(nan.definition)
  expect(codeOf(thrownBy(() => take({ id: 'a', n: 1 })))).toBe('KEY_INVALID')
  settle()
})

describe('a stream', () => {
  test('has each value and nothing of what is taken back', () => {
    const { write, take, settle, written } = sinkTo(stream.definition)
    write({ id: 'a', n: 1 })
    take({ id: 'a', n: 1 })
    write({ id: 'a', n: 2 })
    take({ id: 'a', n: 2 })
    settle()
    expect(written()).toEqual(['a {"id":"a","n":1}', 'a {"id":"a","n":2}'])
  })

  test('refuses a value of another form and has nothing of it', () => {
    const { write, written } = sinkTo(stream.definition)
    write({ id: 'a', n: 1 })
    expect(codeOf(thrownBy(() => write({ id: 'b', n: 'x' })))).toBe('OUTPUT_INVALID')
    write({ id: 'c', n: 3 })
    expect(written()).toEqual(['a {"id":"a","n":1}', 'c {"id":"c","n":3}'])
  })

  test('refuses a key that is no string or finite number', () => {
    const nan = topic('nan', { value: row, key: () => Number.NaN })
    expect(codeOf(thrownBy(() => sinkTo(nan.definition).write({ id: 'a', n: 1 })))).toBe('KEY_INVALID')
  })
})

function sinkTo(definition: ConstructorParameters<typeof Sink>[0]) {
  const builder = new BlockBuilder()
  const moment = new TaskMoment()
  const sink = new Sink(definition, [builder], moment)
  return {
    moment,
    write: (value: unknown) => {
      moment.retract = false
      sink.write(value)
    },
    take: (value: unknown) => {
      moment.retract = true
      sink.write(value)
    },
    settle: () => sink.settle(),
    written() {
      if (builder.count === 0) return []
      const block = new BlockView({ ...viewsOf(slack(builder.finish())), blocks: [0], release() {} }, 0)
      return Array.from({ length: block.count }, (_, i) => `${block.key(i)} ${block.value(i)}`)
    },
  }
}

function thrownBy(work: () => void): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  return undefined
}
