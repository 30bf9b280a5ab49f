import { AssertionError } from '../assert.ts'
import type { BlockBuilder } from '../block/block-builder.ts'
import { ByteSink } from '../block/byte-sink.ts'
import type { BadRecord } from '../codec/codec.ts'
import { codeOf, StreamError } from '../errors.ts'
import type { Header, Key } from '../model/record.ts'
import type { Totals } from '../model/slice.ts'
import type { BadRecordPolicy, TopologyNode } from '../model/topology.ts'
import { type Budget, costOf } from './budget.ts'
import { writeKey } from './key-bytes.ts'
import type { TaskMoment } from './moment.ts'
import type { LateReason } from './operator.ts'
import { valueText } from './value-text.ts'

export const headerNames = {
  code: 'reprise.code',
  path: 'reprise.path',
  message: 'reprise.message',
  operator: 'reprise.operator',
  topic: 'reprise.topic',
  partition: 'reprise.partition',
  offset: 'reprise.offset',
  reason: 'reprise.reason',
  /** Set where the bytes are not the source record's but the value at hand as JSON. */
  derived: 'reprise.derived',
} as const

/**
 * What happens to records that are not processed: nothing vanishes. Dead letters and late records say where they come from, and keep the original
 * bytes where they are at hand (docs/decisions/0033-dead-letters.md).
 * Invariant: each source record ends as exactly one of processed, skipped, dead-lettered; what fails out of its turn is counted as derived.
 */
export class Reports {
  readonly totals: Totals
  private readonly moment: TaskMoment
  private readonly deadLetters: BlockBuilder
  private readonly late: BlockBuilder
  private readonly budget: Budget
  /** Of the source record whose turn it is; undefined between turns. */
  private outcome: 'processed' | 'skipped' | 'deadLettered' | undefined = undefined
  private faults = new Map<string, number>()

  constructor(moment: TaskMoment, totals: Totals, deadLetters: BlockBuilder, late: BlockBuilder, budget: Budget) {
    this.moment = moment
    this.totals = totals
    this.deadLetters = deadLetters
    this.late = late
    this.budget = budget
  }

  recordBegins(): void {
    this.outcome = 'processed'
  }

  recordEnds(): void {
    const { totals, outcome } = this
    totals.in++
    // The usual one by its name: a name that is a value costs a search with each record.
    if (outcome === 'processed') totals.processed++
    else totals[outcome!]++
    this.outcome = undefined
  }

  /** The record at hand can't be used as it is. Throws by policy `fail`. */
  bad(policy: BadRecordPolicy, fault: BadRecord, operator: string, value: unknown, cause?: unknown): void {
    const { moment } = this
    if (policy === 'fail') {
      throw new StreamError(
        fault.code,
        { ...placeOf(moment), operator, path: fault.path, reason: fault.message },
        {
          cause,
          fix: `mend the job or the record's writer; or let the job go on without such records: onBad: 'deadLetter' (kept, can be retried) or 'skip' (counted)`,
        },
      )
    }
    this.faults.set(fault.code, (this.faults.get(fault.code) ?? 0) + 1)
    if (policy === 'skip') {
      this.budget.left--
      if (this.outcome === undefined) this.totals.derived.skipped++
      else if (this.outcome === 'processed') this.outcome = 'skipped'
      return
    }
    if (this.outcome === undefined) this.totals.derived.deadLettered++
    else this.outcome = 'deadLettered'
    this.write(this.deadLetters, value, [
      header(headerNames.code, fault.code),
      header(headerNames.path, fault.path),
      header(headerNames.message, fault.message),
      header(headerNames.operator, operator),
    ])
  }

  /** A function of the job threw. */
  threw(node: TopologyNode, value: unknown, error: unknown): void {
    const code = codeOf(error)
    if (error instanceof AssertionError || code === 'API_NOT_ALLOWED' || code === 'STATE_CORRUPT') throw error
    const known = error instanceof StreamError ? error : undefined
    const path = typeof known?.details.path === 'string' ? known.details.path : '$'
    const message = known === undefined ? String(error) : typeof known.details.message === 'string' ? known.details.message : known.message
    this.bad(node.onBad, { code: known?.code ?? 'OPERATOR_THREW', path, message }, node.name, value, error)
  }

  /** How often what failed since the last call, by code; a record that fails in two places counts for both. */
  takeFaults(): ReadonlyMap<string, number> {
    if (this.faults.size === 0) return noFaults
    const { faults } = this
    this.faults = new Map()
    return faults
  }

  countLate(reason: LateReason): void {
    this.totals.late[reason]++
  }

  writeLate(operator: string, value: unknown, reason: LateReason): void {
    this.write(this.late, value, [header(headerNames.operator, operator), header(headerNames.reason, reason)])
  }

  /** With the record's headers; its original bytes where it is a source record, else the value as text, under the key it has by now: a row does not say which window it is of. */
  private write(builder: BlockBuilder, value: unknown, headers: readonly Header[]): void {
    const { moment } = this
    const origin = [
      header(headerNames.topic, moment.topic),
      header(headerNames.partition, String(moment.partition)),
      header(headerNames.offset, String(moment.offset)),
    ]
    const record = moment.record
    const eventTime = Number.isFinite(moment.eventTime) ? moment.eventTime : (record?.block.eventTime(record.index) ?? 0)
    // Those of an earlier failure are replaced: a retried record has the place it came from first.
    const kept = moment.headers().filter(({ name }) => !name.startsWith('reprise.'))
    if (record === undefined) {
      const derived = [...kept, ...headers, ...origin, header(headerNames.derived, 'yes')]
      builder.add({ key: keyBytes(moment.key), value: Buffer.from(valueText(value)), eventTime, headers: derived })
    } else {
      const { block, index } = record
      builder.add({ key: block.key(index), value: block.value(index), eventTime, headers: [...kept, ...headers, ...origin] })
    }
    this.budget.left -= costOf(builder.lastBytes)
  }
}

const noFaults: ReadonlyMap<string, number> = new Map()

/** Nothing for what stands at no place: results of windows and timers. */
function placeOf({ topic, partition, offset }: TaskMoment): object {
  return topic === '' ? {} : { topic, partition, offset }
}

export function emptyTotals(): Totals {
  return {
    in: 0,
    processed: 0,
    skipped: 0,
    deadLettered: 0,
    derived: { skipped: 0, deadLettered: 0 },
    late: { late: 0, idle: 0, clock: 0 },
    out: {},
  }
}

function keyBytes(key: Key | undefined): Uint8Array | null {
  if (key === undefined) return null
  const out = new ByteSink(64)
  writeKey(key, out)
  return out.buf.subarray(0, out.at)
}

function header(name: string, text: string): Header {
  return { name, value: Buffer.from(text) }
}
