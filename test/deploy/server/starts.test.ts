import { describe, expect, test } from 'vitest'
import { startsOf } from '../../../deploy/server/starts.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'
import { append, record, streamTopic, Writer } from '../../contract/log/records.ts'
import { SimClock } from '../../support/sim-clock.ts'

describe('where a version begins', () => {
  test('at a time: with the first record appended then or later, in each partition', async () => {
    const { log, clock } = world()
    await streamTopic(log, 'orders', 2)
    const writer = await Writer.open(log)
    const times: number[] = []
    for (let n = 0; n < 20; n++) {
      clock.advance(n % 3 === 0 ? 0 : 10)
      await writer.send(append('orders', 0, record(n), record(n)))
      times.push(clock.now(), clock.now())
    }
    const expected = (at: number) => {
      const first = times.findIndex((time) => time >= at)
      return first === -1 ? times.length : first
    }
    for (let at = times[0]! - 2; at <= times.at(-1)! + 2; at++) {
      const first = expected(at)
      expect([at, await startsOf(log, ['orders'], { type: 'timestamp', at })]).toEqual([at, first === 0 ? {} : { 'orders/0': first }])
    }
  })

  test('with what is left, with offsets, and with zero where nothing is said', async () => {
    const { log } = world()
    await streamTopic(log, 'orders', 2)
    await (await Writer.open(log)).send(append('orders', 0, record(0), record(1), record(2)), append('orders', 1, record(3)))
    await log.trim('orders', 0, 2)
    const starts = (from: Parameters<typeof startsOf>[2]) => startsOf(log, ['orders', 'not-there-yet'], from)
    expect(await starts({ type: 'zero' })).toEqual({})
    expect(await starts({ type: 'earliest-available' })).toEqual({ 'orders/0': 2 })
    expect(await starts({ type: 'offsets', offsets: { 'orders/1': 1 } })).toEqual({ 'orders/1': 1 })
    expect(await starts({ type: 'timestamp', at: 0 })).toEqual({ 'orders/0': 2 })
    for (const [name, offset] of [
      ['orders/0', 1],
      ['orders/0', 4],
      ['orders/1', 2],
    ] as const)
      await expect(starts({ type: 'offsets', offsets: { [name]: offset } })).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' })
    for (const name of ['orders/2', 'parcels/0', 'orders'])
      for (const offset of [0, 1])
        await expect(starts({ type: 'offsets', offsets: { [name]: offset } })).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
    // That topic may get as many partitions as it likes.
    expect(await starts({ type: 'offsets', offsets: { 'orders/0': 3, 'orders/1': 0, 'not-there-yet/4': 0 } })).toEqual({ 'orders/0': 3 })
  })
})

function world() {
  const clock = new SimClock()
  return { clock, log: new MemoryLog({ clock }) }
}
