import { beforeEach, expect, test } from 'vitest'
import { TableView } from '../../../deploy/server/table-view.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'
import type { Stretch } from '../../../replay/version-record.ts'
import { block, Writer } from '../../contract/log/records.ts'
import { SimClock } from '../../support/sim-clock.ts'

let log: MemoryLog
let writer: Writer
let clock: SimClock

beforeEach(async () => {
  clock = new SimClock()
  log = new MemoryLog({ clock })
  for (const name of ['open', 'shut']) await log.createTopic({ name, partitions: 2, kind: 'table' })
  writer = await Writer.open(log)
})

/** Null takes the row back. */
async function write(topic: string, partition: number, rows: Record<string, string | null>): Promise<void> {
  const records = Object.entries(rows).map(([key, value]) => ({
    ...{ key: Buffer.from(key), eventTime: 0 },
    value: value === null ? null : Buffer.from(value),
  }))
  await writer.send({ topic, partition, block: block(...records) })
}

async function rowsOf(view: TableView): Promise<Record<string, string>> {
  const { rows } = await view.page('', undefined, 100)
  return Object.fromEntries(rows.map(({ key, value }) => [key, Buffer.from(value).toString()]))
}

test('of a topic the latest value of each key counts, and what was taken back is gone', async () => {
  const view = new TableView(log, 'open', 1 << 20)
  await write('open', 0, { a: '1', b: '1' })
  await write('open', 1, { c: '1' })
  expect(await rowsOf(view)).toEqual({ a: '1', b: '1', c: '1' })
  await write('open', 0, { a: '2', b: null })
  expect(await rowsOf(view)).toEqual({ a: '2', c: '1' })
  expect(Buffer.from((await view.get('a'))!.value).toString()).toBe('2')
})

test('stretches are taken one after the other, whenever it is asked for: the last one counts', async () => {
  const stretches: Stretch[] = [{ topic: 'shut', from: 0, to: undefined }]
  const asked = new TableView(log, 'open', 1 << 20, (partition) => (partition === 0 ? stretches : []))
  await write('shut', 0, { a: 'shut 1', b: 'shut 1' })
  // Of somebody else.
  await write('open', 0, { a: 'other', z: 'other' })
  expect(await rowsOf(asked)).toEqual({ a: 'shut 1', b: 'shut 1' })
  stretches.push({ topic: 'open', from: 2, to: undefined })
  await write('shut', 0, { c: 'shut 2', a: 'shut 2' })
  await write('open', 0, { a: 'open 1', b: null })
  const expected = { a: 'open 1', c: 'shut 2' }
  expect(await rowsOf(asked)).toEqual(expected)
  stretches[0] = { topic: 'shut', from: 0, to: 4 }
  stretches[1] = { topic: 'open', from: 2, to: 4 }
  stretches.push({ topic: 'shut', from: 4, to: undefined })
  await write('open', 0, { a: 'other', d: 'other' })
  await write('shut', 0, { b: 'shut 3' })
  const then = { ...expected, b: 'shut 3' }
  expect(await rowsOf(asked)).toEqual(then)
  // Asked for the first time only now it is the same.
  expect(await rowsOf(new TableView(log, 'open', 1 << 20, (partition) => (partition === 0 ? stretches : [])))).toEqual(then)
})

test('of a topic that is not there yet there is nothing', async () => {
  const view = new TableView(log, 'open', 1 << 20, () => [{ topic: 'not yet', from: 0, to: undefined }])
  expect(await rowsOf(view)).toEqual({})
})

test('a table that is larger than what may be kept is refused', async () => {
  const view = new TableView(log, 'open', 1000)
  await write('open', 0, { a: 'x'.repeat(900) })
  await expect(view.get('a')).rejects.toMatchObject({ code: 'TABLE_TOO_LARGE' })
  expect(view.bytes).toBe(0)
})

test('one that was too large is read anew once it may have become smaller, and not each time it is asked for', async () => {
  const stretch = { topic: 'open', from: 0, to: undefined }
  const view = new TableView(log, 'open', 1000, () => [stretch])
  await write('open', 0, { a: 'x'.repeat(500), b: 'x'.repeat(500) })
  await write('open', 0, { b: null, c: '1' })
  await expect(view.get('a')).rejects.toMatchObject({ code: 'TABLE_TOO_LARGE' })
  // As after retention: the first record is gone.
  stretch.from = 1
  await expect(view.get('a')).rejects.toMatchObject({ code: 'TABLE_TOO_LARGE' })
  clock.advance(60_000)
  expect(await rowsOf(view)).toEqual({ c: '1' })
})
