import type * as z from 'zod/v4/core'
import { version } from 'zod/v4/core'
import { type LengthRule, lengthRule } from './length-rule.ts'
import { type NumberRule, numberRule } from './number-rule.ts'
import { kindOf, optionality } from './zod-kind.ts'

/** What the compiled decoder and encoder know about one declared field. */
export type Field = {
  readonly name: string
  readonly schema: z.$ZodType
  readonly nullable: boolean
  /** The key may be missing, and is missing in the result then. */
  readonly optional: boolean
} & (
  | { readonly kind: 'number'; readonly rule: NumberRule }
  | { readonly kind: 'string'; readonly rule: LengthRule }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'enum'; readonly values: readonly string[] }
  | { readonly kind: 'object'; readonly plan: Plan }
  /** Anything else: its bytes go through JSON.parse and its own schema. */
  | { readonly kind: 'zod' }
)

/** An object schema that can be compiled: zod's object, no checks of its own, unknown keys dropped (or refused when strict). */
export interface Plan {
  readonly fields: readonly Field[]
  readonly strict: boolean
}

/** Presence is kept in the bits of one small integer. */
const FIELDS_MAX = 30

/**
 * Reads a zod schema into a plan; undefined when there is nothing to compile.
 * A plan promises: what fits it, zod takes too, and leaves the value as it is. It need not know all that zod takes (coerced values, checks
 * with conditions), as the rest is handed down. What is not proven stays with zod: a field as kind `zod`, a whole schema as undefined.
 * Source: zod's object parser runs each declared key's schema on its own.
 */
export function planOf(schema: z.$ZodType, outer: readonly z.$ZodType[] = []): Plan | undefined {
  if (!sameZod(schema) || kindOf(schema) !== 'object' || schema._zod.def.checks?.length || outer.includes(schema)) return undefined
  const { shape, catchall } = (schema as z.$ZodObject)._zod.def
  if (catchall !== undefined && kindOf(catchall) !== 'never') return undefined
  const names = Object.keys(shape)
  if (names.length > FIELDS_MAX || Object.getOwnPropertySymbols(shape).length > 0 || !names.every(plainName)) return undefined
  return { fields: names.map((name) => fieldOf(name, shape[name] as z.$ZodType, [...outer, schema])), strict: catchall !== undefined }
}

function fieldOf(name: string, schema: z.$ZodType, outer: readonly z.$ZodType[]): Field {
  const common = { name, schema, optional: optionality(schema) === 'may-be-missing' }
  const opaque: Field = { ...common, nullable: false, kind: 'zod' }
  let inner = schema
  let nullable = false
  for (let kind = kindOf(inner); kind === 'optional' || kind === 'nullable'; kind = kindOf(inner)) {
    if (inner._zod.def.checks?.length) return opaque
    if (kind === 'nullable') nullable = true
    inner = (inner as z.$ZodOptional | z.$ZodNullable)._zod.def.innerType
  }
  if (!sameZod(inner)) return opaque
  switch (kindOf(inner)) {
    case 'number': {
      const rule = numberRule(inner as z.$ZodNumber)
      return rule ? { ...common, nullable, kind: 'number', rule } : opaque
    }
    case 'string': {
      const rule = lengthRule(inner as z.$ZodString)
      return rule ? { ...common, nullable, kind: 'string', rule } : opaque
    }
    case 'boolean': {
      return inner._zod.def.checks?.length ? opaque : { ...common, nullable, kind: 'boolean' }
    }
    case 'enum':
    case 'literal': {
      const values = [...((inner as z.$ZodEnum | z.$ZodLiteral)._zod.values as ReadonlySet<unknown>)]
      return inner._zod.def.checks?.length || !values.every(plainText) ? opaque : { ...common, nullable, kind: 'enum', values }
    }
    case 'object': {
      const plan = planOf(inner, outer)
      return plan ? { ...common, nullable, kind: 'object', plan } : opaque
    }
    default:
      return opaque
  }
}

/**
 * zod reads `input[name]`, so a name of Object.prototype finds something in every object; names that look like numbers come first
 * in objects; and a replacement character in a name would match bytes that are not UTF-8.
 */
function plainName(name: string): boolean {
  return !(name in Object.prototype) && !/^\d/.test(name) && !/\p{Surrogate}|\ufffd/u.test(name)
}

/** A string that stands for itself between quotes, in ASCII. */
function plainText(value: unknown): value is string {
  return typeof value === 'string' && /^[ !#-[\]-~]*$/.test(value)
}

/** The same release of zod: another one may count or check otherwise. */
function sameZod(schema: z.$ZodType): boolean {
  const other = schema._zod.version
  return other.major === version.major && other.minor === version.minor && other.patch === version.patch
}
