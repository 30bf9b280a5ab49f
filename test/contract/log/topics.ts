import { expect } from 'vitest'
import type { TopicSpec } from '../../../engine/ports/log.ts'
import type { LogTest } from './harness.ts'
import { append, readAll, record, streamTopic, valuesOf, Writer } from './records.ts'

export function topicContract(test: LogTest): void {
  const full: TopicSpec = { name: 'totals', partitions: 3, kind: 'table', retentionMs: 1000, retentionBytes: 1 << 20, compacted: true }

  test('a new topic is empty in each partition and shows its settings', async ({ log }) => {
    const made = await log.createTopic(full)
    expect(made).toMatchObject(full)
    expect(log.topic('totals')).toEqual(made)
    expect(log.topics()).toEqual([made])
    for (const partition of [0, 1, 2]) {
      expect(log.bounds('totals', partition)).toEqual({ start: 0, end: 0 })
      expect(await readAll(log, 'totals', partition)).toEqual([])
    }
  })

  test('creating a topic again with equal settings gives the same topic', async ({ log }) => {
    const made = await log.createTopic(full)
    expect(await log.createTopic({ ...full })).toEqual(made)
    const plain = await log.createTopic({ name: 'plain', kind: 'table', partitions: 1 })
    expect(await log.createTopic({ partitions: 1, name: 'plain', kind: 'table', compacted: false })).toEqual(plain)
    expect(log.topics().length).toBe(2)
  })

  test('creating a topic again with any other setting is refused and changes nothing; what is not named may be as it is', async ({
    log,
  }) => {
    const made = await log.createTopic(full)
    const others: TopicSpec[] = [
      { ...full, partitions: 4 },
      { ...full, kind: 'stream', compacted: false },
      { ...full, retentionMs: 1001 },
      { ...full, retentionBytes: 5 },
      { ...full, compacted: false },
    ]
    for (const other of others) await expect(log.createTopic(other)).rejects.toMatchObject({ code: 'TOPIC_EXISTS' })
    expect(await log.createTopic({ name: 'totals', partitions: 3, kind: 'table' })).toEqual(made)
    expect(log.topics()).toEqual([made])
  })

  test('what a topic keeps can be changed, and nothing else of it, nor what is not named', async (open) => {
    const made = await open.log.createTopic(full)
    await streamTopic(open.log, 'orders')
    const changed = await open.log.setTopic('totals', { retentionMs: 5, retentionBytes: null })
    const { retentionBytes: _, ...rest } = made
    expect(changed).toEqual({ ...rest, retentionMs: 5 })
    expect(open.log.topic('totals')).toEqual(changed)
    expect(await open.log.createTopic(changed)).toEqual(changed)
    const plain = await open.log.setTopic('totals', { retentionMs: null, compacted: false })
    expect(plain).toEqual({ id: made.id, name: 'totals', partitions: 3, kind: 'table' })
    await expect(open.log.setTopic('nothing', {})).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN' })
    await expect((async () => open.log.setTopic('orders', { compacted: true }))()).rejects.toThrow('not a table')
    // Nor is one change lost by another that is made at the same time, or by who makes sure that the topic is there.
    const [, again] = await Promise.all([
      open.log.setTopic('totals', { retentionMs: 9 }),
      open.log.setTopic('totals', { retentionBytes: 7 }),
      open.log.createTopic({ name: 'totals', partitions: 3, kind: 'table' }),
    ])
    expect(again).toEqual({ ...plain, retentionMs: 9, retentionBytes: 7 })
    // Once from what was written then, once from what that start wrote.
    for (let start = 0; start < 2; start++) expect((await open.reopen()).topic('totals')).toEqual(again)
  })

  test('names that Kafka would refuse are refused, all others are taken as they are', async ({ log }) => {
    for (const name of ['', '.', '..', 'a b', 'a/b', 'a\n', 'ä', 'a:b', 'x'.repeat(250)]) {
      await expect(log.createTopic({ name, partitions: 1, kind: 'stream' })).rejects.toMatchObject({ code: 'TOPIC_NAME_INVALID' })
    }
    const names = ['x'.repeat(249), '...', 'a.B_c-9', 'A.b_C-9', '__internal', '-', 'con', 'constructor', '__proto__']
    for (const name of names) await streamTopic(log, name)
    expect(log.topics().map((topic) => topic.name)).toEqual(names)
  })

  test('names that differ only in upper and lower case are two topics', async ({ log }) => {
    const writer = await Writer.open(log)
    await writer.send(append(await streamTopic(log, 'a'), 0, record(1)), append(await streamTopic(log, 'A'), 0, record(2)))
    expect(await valuesOf(log, 'a')).toEqual(['value-1'])
    expect(await valuesOf(log, 'A')).toEqual(['value-2'])
  })

  test('what names no topic or no partition of it is TOPIC_UNKNOWN', async ({ log }) => {
    await streamTopic(log, 'there', 2)
    const writer = await Writer.open(log)
    const unknown = { code: 'TOPIC_UNKNOWN' }
    expect(log.topic('orders')).toBeUndefined()
    await expect(log.deleteTopic('orders')).rejects.toMatchObject(unknown)
    for (const [topic, partition] of [
      ['orders', 0],
      ['there', 2],
      ['there', -1],
      ['there', 0.5],
    ] as const) {
      await expect((async () => log.bounds(topic, partition))()).rejects.toMatchObject(unknown)
      await expect((async () => log.reader(topic, partition, 0).read(1))()).rejects.toMatchObject(unknown)
      await expect((async () => log.trim(topic, partition, 0))()).rejects.toMatchObject(unknown)
      await expect((async () => log.pin(topic, partition, 0))()).rejects.toMatchObject(unknown)
      const { end } = writer
      await expect(writer.send(append(topic, partition, record(1)))).rejects.toMatchObject(unknown)
      writer.end = end
    }
  })

  test('a deleted topic is gone, also for the reader that has it open', async ({ log }) => {
    const writer = await Writer.open(log)
    await writer.send(append(await streamTopic(log), 0, record(1)))
    const reader = log.reader('orders', 0, 0)
    await log.deleteTopic('orders')
    expect(log.topics()).toEqual([])
    await expect(reader.read(1000)).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN' })
    await expect(writer.send(append('orders', 0, record(2)))).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN' })
    await expect(log.deleteTopic('orders')).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN' })
  })

  test('a topic made anew under the name of a deleted one is another topic', async ({ log }) => {
    const writer = await Writer.open(log)
    const first = await log.createTopic({ name: 'orders', partitions: 1, kind: 'stream' })
    await writer.send(append('orders', 0, record(1)))
    const reader = log.reader('orders', 0, 0)
    await log.deleteTopic('orders')
    const second = await log.createTopic({ name: 'orders', partitions: 1, kind: 'stream' })
    expect(second.id).toBeGreaterThan(first.id)
    expect(log.bounds('orders', 0)).toEqual({ start: 0, end: 0 })
    await writer.send(append('orders', 0, record(2)))
    await expect(reader.read(1000)).rejects.toMatchObject({ code: 'TOPIC_UNKNOWN' })
    expect(await valuesOf(log, 'orders')).toEqual(['value-2'])
  })

  test('topics, their settings and their deletion survive a restart, and no id is used again', async (open) => {
    const ids = new Set<number>()
    for (const name of ['a', 'b', 'c']) ids.add((await open.log.createTopic({ ...full, name })).id)
    await open.log.deleteTopic('c')
    const before = open.log.topics()
    const log = await open.reopen()
    expect(log.topics()).toEqual(before)
    expect(ids).not.toContain((await log.createTopic({ ...full, name: 'c' })).id)
  })
}
