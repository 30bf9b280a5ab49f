import * as z from 'zod/v4/core'
import type { ByteSink } from '../../block/byte-sink.ts'
import { StreamError } from '../../errors.ts'
import { compileEncode, type TryEncode } from './encoder-source.ts'
import { jsonProblem } from './json-value.ts'
import { oneWayAt } from './one-way.ts'
import { type Plan, planOf } from './plan.ts'
import { outputInvalid, type Problem, problemOf, thrownBySchema } from './problem.ts'

export interface Encoder {
  /** Writes the value at out.at, or throws OUTPUT_INVALID (or JOB_INVALID when the schema is one-way). */
  encode(value: unknown, out: ByteSink): void
  /** Why this schema can not be used for an output; undefined when it can. */
  readonly decodeOnly: string | undefined
}

/**
 * Encoder of a schema: the inverse of decoding, so it takes what decoding gives (z.output).
 * The compiled part never refuses a value, it only hands it down; zod decides, and says what is wrong.
 */
export function compileEncoder(schema: z.$ZodType): Encoder {
  const place = oneWayAt(schema)
  if (place !== undefined) return oneWay(`the schema has a transform (at ${place}), which can not be turned round`)
  const plan = planOf(schema)
  const attempt = plan === undefined || plan.strict ? undefined : compiled(plan)
  return {
    decodeOnly: undefined,
    encode(value, out) {
      if (attempt === undefined || !attempt(value, out)) encodeByZod(schema, value, out)
    },
  }
}

function compiled(plan: Plan): TryEncode {
  return compileEncode(
    plan,
    plan.fields.map((field) => {
      if (field.kind === 'object' && !field.plan.strict) return compiled(field.plan)
      return field.kind === 'object' || field.kind === 'zod' ? tryByZod(field.schema) : undefined
    }),
  )
}

function oneWay(message: string): Encoder {
  return {
    decodeOnly: message,
    encode() {
      throw new StreamError('JOB_INVALID', { message }, { fix: 'use z.codec, or a schema of plain values for the output topic' })
    },
  }
}

function encodeByZod(schema: z.$ZodType, value: unknown, out: ByteSink): void {
  const encoded = textOf(schema, value)
  if (typeof encoded !== 'string') throw outputInvalid(encoded)
  out.utf8(encoded)
}

function tryByZod(schema: z.$ZodType): TryEncode {
  return (value, out) => {
    const encoded = textOf(schema, value)
    if (typeof encoded !== 'string') return false
    out.utf8(encoded)
    return true
  }
}

/** The JSON text of a value, or what is wrong with it. */
function textOf(schema: z.$ZodType, value: unknown): string | Problem {
  let result: z.util.SafeParseResult<unknown>
  try {
    result = z.safeEncode(schema, value as never)
  } catch (error) {
    return thrownBySchema(error)
  }
  if (!result.success) return problemOf(result.error.issues)
  return jsonProblem(result.data) ?? JSON.stringify(result.data)
}
