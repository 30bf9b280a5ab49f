import type * as z from 'zod/v4/core'
import type { BadRecord, Codec } from '../codec.ts'
import { compileAnyOrder, compileRebuild } from './any-order.ts'
import { decodeByZod, fieldByZod } from './fallback.ts'
import { LearnedOrders } from './learned-orders.ts'
import { type Plan, planOf } from './plan.ts'
import { StringCache } from './string-cache.ts'
import { type DecodeOne, UNDECIDED } from './value-source.ts'

/** How many records each tier decoded, and how many key orders are compiled right now. */
export interface TierCounts {
  learnedOrder: number
  anyOrder: number
  /** Good and bad ones. */
  zod: number
  ordersLearned: number
}

export interface Decoder {
  readonly decode: Codec<unknown>['decode']
  readonly counts: Readonly<TierCounts>
}

/**
 * Decoder of a schema in three tiers: a learned key order, any order, JSON.parse with zod.
 * Law: no tier rejects a record, it only hands it down; the last one decides. Verdict and value are always zod's on JSON.parse's.
 */
export function compileDecoder(schema: z.$ZodType): Decoder {
  const plan = planOf(schema)
  return plan === undefined ? decoderByZod(schema) : tieredDecoder(schema, plan)
}

function tieredDecoder(schema: z.$ZodType, plan: Plan): Decoder {
  const strings = new StringCache()
  const nested = nestedDecoders(plan, strings)
  const anyOrder = compileAnyOrder(plan, nested, strings)
  const rebuild = compileRebuild(plan)
  const orders = new LearnedOrders(plan, nested, strings)
  const counts: TierCounts = { learnedOrder: 0, anyOrder: 0, zod: 0, ordersLearned: 0 }

  const decode: Decoder['decode'] = (bytes, view, base, ends, endsAt, from, to, out, at) => {
    let bad: Map<number, BadRecord> | undefined
    for (let i = from; i < to; i++) {
      const reached = orders.run(bytes, view, base, ends, endsAt, i, to, out, at - from)
      counts.learnedOrder += reached - i
      i = reached
      if (i === to) break
      const start = i === 0 ? base : base + (ends[endsAt + i - 1] as number)
      const end = base + (ends[endsAt + i] as number)
      let value = anyOrder(bytes, view, start, end)
      if (value !== UNDECIDED) counts.anyOrder++
      else {
        counts.zod++
        const decoded = decodeByZod(schema, bytes, start, end)
        if (decoded.bad !== undefined) {
          bad ??= new Map()
          bad.set(i, decoded.bad)
          out[at + i - from] = undefined
          continue
        }
        value = rebuild(decoded.value as object)
      }
      out[at + i - from] = value
      orders.observe(bytes, start, end)
      counts.ordersLearned = orders.count
    }
    return bad
  }
  return { decode, counts }
}

function decoderByZod(schema: z.$ZodType): Decoder {
  const counts: TierCounts = { learnedOrder: 0, anyOrder: 0, zod: 0, ordersLearned: 0 }
  const decode: Decoder['decode'] = (bytes, _view, base, ends, endsAt, from, to, out, at) => {
    let bad: Map<number, BadRecord> | undefined
    for (let i = from; i < to; i++) {
      const start = i === 0 ? base : base + (ends[endsAt + i - 1] as number)
      const decoded = decodeByZod(schema, bytes, start, base + (ends[endsAt + i] as number))
      if (decoded.bad !== undefined) {
        bad ??= new Map()
        bad.set(i, decoded.bad)
      }
      out[at + i - from] = decoded.bad === undefined ? decoded.value : undefined
    }
    counts.zod += to - from
    return bad
  }
  return { decode, counts }
}

/** The decoders of the fields that are not scalars, by field number. */
function nestedDecoders(plan: Plan, strings: StringCache): (DecodeOne | undefined)[] {
  return plan.fields.map((field) =>
    field.kind === 'object'
      ? compileAnyOrder(field.plan, nestedDecoders(field.plan, strings), strings)
      : field.kind === 'zod'
        ? fieldByZod(field.schema)
        : undefined,
  )
}
