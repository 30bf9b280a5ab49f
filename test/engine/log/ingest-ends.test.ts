import { describe, expect, test } from 'vitest'
import { appendRecords } from '../../../engine/log/append-records.ts'
import { EmbeddedLog } from '../../../engine/log/embedded/embedded-log.ts'
import { logFileName } from '../../../engine/log/embedded/file-names.ts'
import { readDetail } from '../../../engine/log/embedded/frame.ts'
import type { HeadState } from '../../../engine/log/embedded/head.ts'
import { readLogHead } from '../../../engine/log/embedded/log-scan.ts'
import { ingestEnd, ingestEndsTopic } from '../../../engine/log/ingest-ends.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'
import type { NewRecord } from '../../../engine/model/record.ts'
import { append, numbers, record, records, streamTopic, values, valuesOf } from '../../contract/log/records.ts'
import { runsOf } from '../../support/lane.ts'
import { SimClock } from '../../support/sim-clock.ts'
import { SimDisk } from '../../support/sim-fs.ts'

const clock = { now: () => 7, monotonic: () => 0, sleep: async () => {}, yield: async () => {} }
const take = (log: MemoryLog | EmbeddedLog, id: string, content: Iterable<NewRecord> | AsyncIterable<NewRecord>) =>
  appendRecords(log, { id, topic: 'orders', records: content })

async function memoryLog(): Promise<MemoryLog> {
  const log = new MemoryLog({ clock })
  await streamTopic(log)
  return log
}

async function recordsOfEnds(log: MemoryLog | EmbeddedLog): Promise<number> {
  const partitions = numbers(0, log.topic(ingestEndsTopic)!.partitions)
  return (await Promise.all(partitions.map((partition) => valuesOf(log, ingestEndsTopic, partition)))).flat().length
}

describe('sources that were taken in', () => {
  test('do not stay in the heads of the log, however many they are; and none is taken in twice, also after a restart', async () => {
    const disk = new SimDisk(1)
    const open = () => EmbeddedLog.open({ fs: disk.mount(), clock: new SimClock(), settings: { reserveBytes: 0 } })
    const producersInHead = () => {
      const file = Math.max(...disk.list().flatMap((name) => (name.endsWith('.log') ? [Number(name.slice(0, 10))] : [])))
      const bytes = disk.content(logFileName(file))
      const head = readLogHead(bytes, file)
      if ('reason' in head) throw new Error(head.reason)
      return (readDetail(bytes, 0, head) as HeadState).producers.map(([name]) => name)
    }
    const sources = runsOf(300)
    let log = await open()
    await streamTopic(log)
    await log.producer('orders.v1.task-0')
    for (const n of numbers(0, sources)) expect(await take(log, `file-${n}`, [record(n)])).toEqual({ skipped: 0, added: 1 })
    await log.rewrite()
    expect(producersInHead()).toEqual(['orders.v1.task-0'])
    await log.close()
    log = await open()
    for (const n of numbers(0, sources)) expect(await take(log, `file-${n}`, [record(n)])).toEqual({ skipped: 1, added: 0 })
    expect(await take(log, 'file-7', [record(7), record(sources)])).toEqual({ skipped: 1, added: 1 })
    expect(await valuesOf(log, 'orders')).toEqual(values(0, sources + 1))
    // One for each time there was something new.
    expect(await recordsOfEnds(log)).toBe(sources + 1)
    await log.close()
    expect(producersInHead()).toEqual(['orders.v1.task-0'])
  })

  test('go on where they were left, whatever was cut off in between', async () => {
    const log = await memoryLog()
    await take(log, 'file', records(0, 3))
    // A process died: two more are committed, and neither recorded nor forgotten.
    const producer = await log.producer('file')
    expect(producer.end.seq).toBe(0)
    const recorded = (await ingestEnd(log, 'file'))!
    expect(recorded.seq).toBe(3)
    await producer.commit({ expect: producer.end, next: recorded, appends: [] })
    expect(log.producerEnd('file')).toEqual(recorded)
    const known = new MemoryLog({ clock })
    await streamTopic(known)
    await take(known, 'file', records(0, 5))
    const further = (await ingestEnd(known, 'file'))!
    await producer.commit({ expect: recorded, next: further, appends: [append('orders', 0, record(3), record(4))] })
    expect(await ingestEnd(log, 'file')).toEqual(further)
    expect(await take(log, 'file', records(0, 5))).toEqual({ skipped: 5, added: 0 })
    expect(log.producerEnd('file')).toBeUndefined()
    expect(await take(log, 'file', records(0, 6))).toEqual({ skipped: 5, added: 1 })
    expect(await valuesOf(log, 'orders')).toEqual(values(0, 6))
  })

  test('with nothing in them are known too', async () => {
    const log = await memoryLog()
    expect(await ingestEnd(log, 'empty')).toBeUndefined()
    expect(await take(log, 'empty', [])).toEqual({ skipped: 0, added: 0 })
    expect(await ingestEnd(log, 'empty')).toEqual({ seq: 0, hash: '' })
    expect(await take(log, 'empty', [record(0)])).toEqual({ skipped: 0, added: 1 })
    expect(await ingestEnd(log, 'other')).toBeUndefined()
  })

  test('that fail on the way are left as at an end', async () => {
    const log = await memoryLog()
    const failing = (function* () {
      yield { ...record(0), value: Buffer.alloc(2 << 20) }
      throw new Error('line 2 is no record')
    })()
    await expect(take(log, 'file', failing)).rejects.toThrow('line 2')
    expect(log.producerEnd('file')).toBeUndefined()
    expect((await ingestEnd(log, 'file'))?.seq).toBe(1)
  })

  test('taken in by two at a time are taken in once', async () => {
    const log = await memoryLog()
    const slow = (async function* () {
      yield* records(0, 3)
      await new Promise((resolve) => setImmediate(resolve))
      yield* records(3, 6)
    })()
    const outcomes = await Promise.allSettled([take(log, 'file', slow), take(log, 'file', records(0, 6))])
    expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true)
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason.code).toBe('COMMIT_FENCED')
    expect(await take(log, 'file', records(0, 6))).toEqual({ skipped: 6, added: 0 })
    expect(await valuesOf(log, 'orders')).toEqual(values(0, 6))
  })
})
