import { expect, test } from 'vitest'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'
import { readRecords } from '../../../engine/log/read-records.ts'
import { append, numbers, records, streamTopic, values, Writer } from '../../contract/log/records.ts'
import { PassThroughLog } from '../../support/pass-through-log.ts'

/** Twelve records in blocks of four. */
async function filled() {
  const log = new MemoryLog({ clock: { now: () => 7, monotonic: () => 0, sleep: async () => {}, yield: async () => {} } })
  const writer = await Writer.open(log)
  await streamTopic(log)
  for (const n of [0, 4, 8]) await writer.send(append('orders', 0, ...records(n, n + 4)))
  return { log, writer }
}

async function read(log: PassThroughLog | MemoryLog, from: number, to?: number): Promise<string[]> {
  const found: string[] = []
  for await (const { value } of readRecords(log, 'orders', 0, from, to)) found.push(Buffer.from(value!).toString())
  return found
}

test('gives exactly the records of any range, whatever the blocks', async () => {
  const { log } = await filled()
  for (const from of numbers(0, 13)) for (const to of numbers(from, 13)) expect(await read(log, from, to)).toEqual(values(from, to))
})

test('without an upper bound it ends at the end there was at first, and with one beyond the end where the log ends', async () => {
  const { log, writer } = await filled()
  expect(await read(log, 10)).toEqual(values(10, 12))
  expect(await read(log, 10, 100)).toEqual(values(10, 12))
  const reading = readRecords(log, 'orders', 0, 11)
  expect((await reading.next()).value?.offset).toBe(11)
  await writer.send(append('orders', 0, ...records(12, 13)))
  expect(await reading.next()).toEqual({ done: true, value: undefined })
})

test('an offset that was trimmed away is an error, not a later record', async () => {
  const { log } = await filled()
  await log.trim('orders', 0, 6)
  await expect(read(log, 5, 12)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE', details: { offset: 5, earliest: 6 } })
})

test('releases its chunks and closes its reader, also when the caller stops early', async () => {
  const { log } = await filled()
  let open = 0
  const counting = new (class extends PassThroughLog {
    override reader(...place: [string, number, number]) {
      const reader = super.reader(...place)
      open++
      return {
        get position() {
          return reader.position
        },
        read: async () => {
          const chunk = await reader.read(1)
          if (chunk === null) return null
          open++
          return { ...chunk, release: () => void open-- }
        },
        close: async () => void open--,
      }
    }
  })(log)
  expect(await read(counting, 0)).toEqual(values(0, 12))
  expect(open).toBe(0)
  for await (const { offset } of readRecords(counting, 'orders', 0, 0)) {
    expect(open).toBe(2)
    if (offset === 5) break
  }
  expect(open).toBe(0)
})
