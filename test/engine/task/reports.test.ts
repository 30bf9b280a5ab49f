import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AssertionError } from '../../../engine/assert.ts'
import { BlockBuilder } from '../../../engine/block/block-builder.ts'
import { BlockView, viewsOf } from '../../../engine/block/block-view.ts'
import { codeOf, StreamError } from '../../../engine/errors.ts'
import type { TopologyNode } from '../../../engine/model/topology.ts'
import { TaskMoment } from '../../../engine/task/moment.ts'
import { emptyTotals, Reports } from '../../../engine/task/reports.ts'
import { placedBlock, slack } from './blocks.ts'

const fault = { code: 'RECORD_MALFORMED', path: '$.n', message: 'no number' } as const

describe('reports', () => {
  test('count each record once, whatever happened to it and how often', () => {
    const happenings = fc.array(fc.array(fc.constantFrom('skip' as const, 'deadLetter' as const), { maxLength: 4 }), { maxLength: 20 })
    fc.assert(
      fc.property(happenings, (records) => {
        const { reports, totals, atRecord } = setUp()
        records.forEach((policies, i) => {
          atRecord(i)
          reports.recordBegins()
          for (const policy of policies) reports.bad(policy, fault, 'parse', undefined)
          reports.recordEnds()
        })
        const deadLettered = records.filter((policies) => policies.includes('deadLetter')).length
        const processed = records.filter((policies) => policies.length === 0).length
        expect(totals).toMatchObject({ in: records.length, processed, deadLettered, skipped: records.length - processed - deadLettered })
      }),
    )
  })

  test('tell how often what failed, once', () => {
    const { reports, atRecord } = setUp()
    for (const policy of ['skip', 'deadLetter'] as const) {
      atRecord(0)
      reports.bad(policy, fault, 'parse', undefined)
      reports.bad(policy, { ...fault, code: 'OPERATOR_THREW' }, 'map', undefined)
    }
    expect(Object.fromEntries(reports.takeFaults())).toEqual({ RECORD_MALFORMED: 2, OPERATOR_THREW: 2 })
    expect(reports.takeFaults().size).toBe(0)
    reports.bad('skip', fault, 'parse', undefined)
    expect(Object.fromEntries(reports.takeFaults())).toEqual({ RECORD_MALFORMED: 1 })
  })

  test('count what fails between the turns of source records apart from them', () => {
    const { reports, totals, atRecord, deadLetters } = setUp()
    atRecord(0)
    reports.recordBegins()
    reports.recordEnds()
    reports.bad('deadLetter', fault, 'timer', 1)
    reports.bad('skip', fault, 'timer', 2)
    reports.bad('deadLetter', fault, 'timer', 3)
    expect(totals).toMatchObject({ in: 1, processed: 1, skipped: 0, deadLettered: 0, derived: { skipped: 1, deadLettered: 2 } })
    expect(deadLetters()).toHaveLength(2)
  })

  test('keep the bytes, key and headers of a dead letter and say where it comes from', () => {
    const { reports, atRecord, deadLetters } = setUp()
    atRecord(2)
    reports.recordBegins()
    reports.bad('deadLetter', fault, 'parse', undefined)
    const [letter] = deadLetters()
    expect(letter).toMatchObject({ key: 'key 2', value: 'value 2' })
    expect(letter!.headers).toEqual({
      own: 'header 2',
      'reprise.code': 'RECORD_MALFORMED',
      'reprise.path': '$.n',
      'reprise.message': 'no number',
      'reprise.operator': 'parse',
      'reprise.topic': 'in',
      'reprise.partition': '3',
      'reprise.offset': '12',
    })
  })

  test('write what is no source record as text', () => {
    const { reports, moment, late } = setUp()
    moment.atTime(0)
    moment.eventTime = 5
    reports.writeLate('window', { n: 1n, text: 'x' }, 'idle')
    expect(late()[0]).toMatchObject({ key: null, value: '{"n":"1","text":"x"}' })
  })

  test('keep the headers of a record whose bytes are gone', () => {
    const { reports, moment, deadLetters, late } = setUp()
    moment.atTime(0)
    moment.headers = () => [
      { name: 'own', value: Buffer.from('header') },
      { name: 'reprise.topic', value: Buffer.from('of a retried record') },
    ]
    moment.topic = 'in'
    reports.bad('deadLetter', fault, 'map', { n: 1 })
    reports.writeLate('window', { n: 1 }, 'late')
    for (const [record] of [deadLetters(), late()])
      expect(record!.headers).toMatchObject({ own: 'header', 'reprise.topic': 'in', 'reprise.derived': 'yes' })
  })

  test('keep the key that a result of a window or a timer has, and none of the record before', () => {
    const { reports, atRecord, moment, deadLetters } = setUp()
    atRecord(0)
    moment.atTime(0)
    reports.bad('deadLetter', fault, 'map', { count: 1 })
    for (const key of ['ann', 7]) {
      moment.key = key
      reports.bad('deadLetter', fault, 'map', { count: 2 })
    }
    expect(deadLetters().map(({ key }) => key)).toEqual([null, 'ann', '7'])
  })

  test('stop at a bad record by policy `fail`, with its place', () => {
    const { reports, atRecord } = setUp()
    atRecord(1)
    const error = thrownBy(() => reports.bad('fail', fault, 'parse', undefined))
    expect(codeOf(error)).toBe('RECORD_MALFORMED')
    expect((error as StreamError).details).toMatchObject({ topic: 'in', partition: 3, offset: 11, operator: 'parse' })
  })

  test('name no place for what stands at none', () => {
    const { reports, moment } = setUp()
    moment.atTime(0)
    const error = thrownBy(() => reports.bad('fail', fault, 'window', 1)) as StreamError
    expect(Object.keys(error.details)).toEqual(['operator', 'path', 'reason'])
  })

  test('never pass over our own mistakes, nor what a job may not use', () => {
    const { reports, atRecord } = setUp()
    atRecord(0)
    const node = { name: 'map', onBad: 'skip' } as TopologyNode
    for (const error of [new AssertionError('ours'), new StreamError('API_NOT_ALLOWED')]) {
      expect(thrownBy(() => reports.threw(node, 1, error))).toBe(error)
    }
    expect(thrownBy(() => reports.threw(node, 1, new TypeError('theirs')))).toBeUndefined()
  })
})

function setUp() {
  const moment = new TaskMoment()
  const totals = emptyTotals()
  const builders = [new BlockBuilder(), new BlockBuilder()] as const
  const reports = new Reports(moment, totals, builders[0], builders[1], { left: 0 })
  const records = Array.from({ length: 25 }, (_, i) => ({
    key: Buffer.from(`key ${i}`),
    value: Buffer.from(`value ${i}`),
    eventTime: i,
    headers: [
      { name: 'own', value: Buffer.from(`header ${i}`) },
      { name: 'reprise.code', value: Buffer.from('of an earlier failure') },
    ],
  }))
  const block = placedBlock(records, 10)
  return {
    reports,
    totals,
    moment,
    atRecord(i: number) {
      moment.topic = 'in'
      moment.partition = 3
      moment.offset = 10 + i
      moment.eventTime = i
      moment.atRecord(0, block, i)
    },
    deadLetters: () => writtenTo(builders[0]),
    late: () => writtenTo(builders[1]),
  }
}

function writtenTo(builder: BlockBuilder) {
  const block = new BlockView({ ...viewsOf(slack(builder.finish())), blocks: [0], release() {} }, 0)
  return Array.from({ length: block.count }, (_, i) => ({
    key: block.key(i)?.toString() ?? null,
    value: String(block.value(i)),
    headers: Object.fromEntries(block.headers(i).map(({ name, value }) => [name, Buffer.from(value).toString()])),
  }))
}

function thrownBy(work: () => void): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  return undefined
}
