import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BlockView } from '../../../engine/block/block-view.ts'
import { codeOf } from '../../../engine/errors.ts'
import type { NewRecord } from '../../../engine/model/record.ts'
import type { Log, LogReader, Pin, ProducerEnd } from '../../../engine/ports/log.ts'
import type { ContractLog, MakeLog } from './harness.ts'
import { append, plain, readAll, Writer } from './records.ts'

const topics = ['events', 'latest'] as const
const partitions = 2
const places = topics.flatMap((topic) => [0, 1].map((partition) => ({ topic, partition })))
const writerIds = ['x', 'y', 'z']

interface Kept {
  readonly offset: number
  readonly record: NewRecord
  readonly appendTime: number
}

/** A partition as the plain rules of the port have it. */
interface ModelPartition {
  start: number
  end: number
  kept: Kept[]
  pins: Map<Pin, number>
  tail: LogReader | undefined
}

/** Random operations give what a model of arrays gives. */
export function modelContract(make: MakeLog, runs: number): void {
  test('any sequence of operations gives what plain arrays give', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 40, size: 'max' }), async (operations) => {
        const open = await make()
        try {
          const world = await World.start(open)
          for (const one of operations) await world.apply(one)
          await world.checkAll()
          await world.apply({ do: 'reopen' })
          await world.checkAll()
        } finally {
          await open.close()
        }
      }),
      { numRuns: runs },
    )
  })
}

const bytes = (maxLength: number) => fc.uint8Array({ maxLength })
const newRecord: fc.Arbitrary<NewRecord> = fc.record({
  key: fc.option(fc.constantFrom('', 'a', 'b', 'c').map((key) => Buffer.from(key))),
  value: fc.option(bytes(40)),
  eventTime: fc.integer({ min: -1000, max: 2 ** 41 }),
  headers: fc.array(fc.record({ name: fc.string({ maxLength: 4 }), value: bytes(4) }), { maxLength: 1 }),
})
const place = fc.constantFrom(...places)
const id = fc.constantFrom(...writerIds)
const fraction = fc.integer({ min: 0, max: 8 }).map((eighths) => eighths / 8)
const content = fc.array(fc.record({ place, records: fc.array(newRecord, { minLength: 1, maxLength: 6 }) }), { maxLength: 3 })

const operation = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('commit' as const), id, content }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('pipeline' as const),
      id,
      contents: fc.array(content, { maxLength: 5 }),
      bad: fc.integer({ min: 0, max: 8 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stale' as const), id, content, by: fc.constantFrom(-1, 1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fence' as const), id }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('read' as const),
      place,
      at: fraction,
      beyond: fc.integer({ min: -2, max: 2 }),
      bytesMax: fc.constantFrom(1, 300, 1 << 20),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('follow' as const), place, bytesMax: fc.constantFrom(1, 300, 1 << 20) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('trim' as const), place, at: fraction }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pin' as const), place, at: fraction }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unpin' as const), place }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('compact' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('rewrite' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('recreate' as const), topic: fc.constantFrom(...topics) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('reopen' as const) }) },
)
type Operation = typeof operation extends fc.Arbitrary<infer O> ? O : never
type Of<Name extends Operation['do']> = Extract<Operation, { do: Name }>

/** The log under test beside the model of it. */
class World {
  private readonly open: ContractLog
  private log: Log
  private readonly model = new Map<string, ModelPartition>()
  private readonly ends = new Map<string, ProducerEnd>()
  private writers = new Map<string, Writer>()
  private lastTime = 0

  private constructor(open: ContractLog) {
    this.open = open
    this.log = open.log
  }

  static async start(open: ContractLog): Promise<World> {
    const world = new World(open)
    for (const topic of topics) await world.create(topic)
    return world
  }

  async apply(operation: Operation): Promise<void> {
    const { log } = this
    switch (operation.do) {
      case 'commit':
        return this.pipeline({ do: 'pipeline', id: operation.id, contents: [operation.content], bad: 8 })
      case 'pipeline':
        return this.pipeline(operation)
      case 'stale': {
        const writer = await this.writer(operation.id)
        const expected = { seq: writer.end.seq + operation.by, hash: writer.end.hash }
        const refused = writer.producer.commit({
          expect: expected,
          next: { seq: 99, hash: 'stale' },
          appends: appendsOf(operation.content),
        })
        return expect(refused).rejects.toMatchObject({ code: 'COMMIT_CONFLICT' })
      }
      case 'fence': {
        const old = await this.writer(operation.id)
        this.writers.set(operation.id, await Writer.open(log, operation.id))
        return expect(old.send()).rejects.toMatchObject({ code: 'COMMIT_FENCED' })
      }
      case 'read':
        return this.read(operation)
      case 'follow':
        return this.follow(operation)
      case 'trim':
        return this.trim(operation)
      case 'pin': {
        const model = this.at(operation.place)
        const from = offsetAt(model, operation.at)
        model.pins.set(log.pin(operation.place.topic, operation.place.partition, from), from)
        return
      }
      case 'unpin': {
        const { pins } = this.at(operation.place)
        for (const pin of pins.keys()) pin.release()
        pins.clear()
        return
      }
      case 'compact':
        return this.compact()
      case 'rewrite':
        return this.open.maintenance?.rewrite?.()
      case 'recreate': {
        const id = log.topic(operation.topic)!.id
        await log.deleteTopic(operation.topic)
        await this.create(operation.topic)
        expect(log.topic(operation.topic)!.id).toBeGreaterThan(id)
        return
      }
      case 'reopen': {
        this.log = await this.open.reopen()
        this.writers = new Map()
        for (const model of this.model.values()) {
          model.pins.clear()
          model.tail = undefined
        }
        return
      }
    }
  }

  async checkAll(): Promise<void> {
    for (const id of writerIds) expect(this.log.producerEnd(id) ?? { seq: 0, hash: '' }).toEqual(this.ends.get(id) ?? { seq: 0, hash: '' })
    for (const place of places) {
      const { start, end, kept } = this.at(place)
      expect(this.log.bounds(place.topic, place.partition)).toEqual({ start, end })
      const found = await readAll(this.log, place.topic, place.partition, start)
      expect(found.map((one) => ({ ...plain(one), offset: one.offset, appendTime: one.appendTime }))).toEqual(kept.map(keptPlain))
    }
  }

  private async create(topic: (typeof topics)[number]): Promise<void> {
    await this.log.createTopic({
      name: topic,
      partitions,
      ...(topic === 'latest' ? { kind: 'table', compacted: true } : { kind: 'stream' }),
    })
    for (const partition of [0, 1]) {
      this.model.set(`${topic}/${partition}`, { start: 0, end: 0, kept: [], pins: new Map(), tail: undefined })
    }
  }

  /** The commit at `bad`, if there is one, is refused, and so are those behind it. */
  private async pipeline({ id, contents, bad }: Of<'pipeline'>): Promise<void> {
    const writer = await this.writer(id)
    const sent = contents.map((content, i) => {
      const appends = appendsOf(content)
      return writer.send(...(i === bad ? [...appends, append('nowhere', 0, { key: null, value: null, eventTime: 0 })] : appends))
    })
    const outcomes = await Promise.allSettled(sent)
    for (const [i, outcome] of outcomes.entries()) {
      if (outcome.status === 'rejected') {
        expect(codeOf(outcome.reason)).toBe(i === bad ? 'TOPIC_UNKNOWN' : 'COMMIT_CONFLICT')
        expect(i).toBeGreaterThanOrEqual(bad)
        continue
      }
      expect(i).toBeLessThan(bad)
      const { appendTime, baseOffsets } = outcome.value
      expect(appendTime).toBeGreaterThanOrEqual(this.lastTime)
      this.lastTime = appendTime
      const end = this.ends.get(id)?.seq ?? 0
      this.ends.set(id, { seq: end + 1, hash: `hash-${end + 1}` })
      for (const [j, { place, records }] of contents[i]!.entries()) {
        const model = this.at(place)
        expect(baseOffsets[j]).toBe(model.end)
        for (const record of records) model.kept.push({ offset: model.end++, record, appendTime })
      }
    }
    writer.end = this.ends.get(id) ?? { seq: 0, hash: '' }
  }

  private async read({ place, at, beyond, bytesMax }: Of<'read'>): Promise<void> {
    const model = this.at(place)
    const from = offsetAt(model, at) + beyond
    const found = readAll(this.log, place.topic, place.partition, from, bytesMax)
    if (from < model.start || from > model.end) {
      const details = { ...place, offset: from, earliest: model.start, end: model.end }
      return expect(found).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE', details })
    }
    expect((await found).map((one) => one.offset)).toEqual(model.kept.map((one) => one.offset).filter((offset) => offset >= from))
  }

  /** One reader for each partition that goes on through everything. */
  private async follow({ place, bytesMax }: Of<'follow'>): Promise<void> {
    const model = this.at(place)
    model.tail ??= this.log.reader(place.topic, place.partition, model.start)
    const { position } = model.tail
    if (position < model.start) {
      await expect(model.tail.read(bytesMax)).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE', details: { offset: position } })
      model.tail = undefined
      return
    }
    const chunk = await model.tail.read(bytesMax)
    const next = model.tail.position
    expect(next).toBeGreaterThanOrEqual(position)
    if (chunk === null) expect(next).toBe(model.end)
    const blocks = chunk?.blocks.map((at) => new BlockView(chunk, at)) ?? []
    const found = blocks
      .flatMap((block) => Array.from({ length: block.count }, (_, i) => block.record(i)))
      .filter((one) => one.offset >= position)
    const wanted = model.kept.filter((one) => one.offset >= position && one.offset < next)
    expect(found.map((one) => ({ ...plain(one), offset: one.offset, appendTime: one.appendTime }))).toEqual(wanted.map(keptPlain))
    chunk?.release()
  }

  private async trim({ place, at }: Of<'trim'>): Promise<void> {
    const model = this.at(place)
    const before = offsetAt(model, at)
    const trimmed = (async () => this.log.trim(place.topic, place.partition, before))()
    if (before > Math.min(...model.pins.values()) && before > model.start)
      return expect(trimmed).rejects.toMatchObject({ name: 'AssertionError' })
    await trimmed
    model.start = before
    model.kept = model.kept.filter((one) => one.offset >= before)
  }

  private async compact(): Promise<void> {
    if (this.open.maintenance === undefined) return
    await this.open.maintenance.compact('latest')
    for (const partition of [0, 1]) {
      const model = this.at({ topic: 'latest', partition })
      const pinned = Math.min(...model.pins.values())
      const key = (one: Kept) => one.record.key && Buffer.from(one.record.key).toString('hex')
      const later = (one: Kept) => model.kept.some((other) => other.offset > one.offset && key(other) === key(one))
      model.kept = model.kept.filter((one) => key(one) === null || one.offset >= pinned || !later(one))
    }
  }

  private async writer(id: string): Promise<Writer> {
    const writer = this.writers.get(id) ?? (await Writer.open(this.log, id))
    this.writers.set(id, writer)
    return writer
  }

  private at({ topic, partition }: { topic: string; partition: number }): ModelPartition {
    return this.model.get(`${topic}/${partition}`)!
  }
}

function appendsOf(content: Of<'commit'>['content']) {
  return content.map(({ place, records }) => append(place.topic, place.partition, ...records))
}

function offsetAt({ start, end }: ModelPartition, fraction: number): number {
  return start + Math.floor((end - start) * fraction)
}

function keptPlain({ record, offset, appendTime }: Kept) {
  return { ...plain(record), offset, appendTime }
}
