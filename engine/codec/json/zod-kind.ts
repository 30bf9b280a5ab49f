import type * as z from 'zod/v4/core'

/** Traits of zod's own classes by kind; a schema with any other trait is a class of someone else's, with rules we do not know. */
const traits: Readonly<Record<string, readonly string[]>> = {
  number: ['$ZodNumber', 'ZodNumber', 'ZodMiniNumber'],
  'number-format': [
    '$ZodNumber',
    'ZodNumber',
    'ZodMiniNumber',
    '$ZodNumberFormat',
    'ZodNumberFormat',
    'ZodMiniNumberFormat',
    '$ZodCheckNumberFormat',
    '$ZodCheck',
  ],
  string: ['$ZodString', 'ZodString', '_ZodString', 'ZodMiniString'],
  boolean: ['$ZodBoolean', 'ZodBoolean', 'ZodMiniBoolean'],
  enum: ['$ZodEnum', 'ZodEnum', 'ZodMiniEnum'],
  literal: ['$ZodLiteral', 'ZodLiteral', 'ZodMiniLiteral'],
  optional: ['$ZodOptional', 'ZodOptional', 'ZodMiniOptional'],
  nullable: ['$ZodNullable', 'ZodNullable', 'ZodMiniNullable'],
  object: ['$ZodObject', '$ZodObjectJIT', 'ZodObject', 'ZodMiniObject'],
  never: ['$ZodNever', 'ZodNever', 'ZodMiniNever'],
}
const base = ['$ZodType', 'ZodType', 'ZodMiniType']

export type Kind = 'number' | 'string' | 'boolean' | 'enum' | 'literal' | 'optional' | 'nullable' | 'object' | 'never' | 'other'

/** Which of zod's classes a schema is, exactly; `other` for classes that are not compiled. */
export function kindOf(schema: z.$ZodType): Kind {
  const { type } = schema._zod.def
  const known = traits[type]
  if (known === undefined) return 'other'
  if (hasOnly(schema, known) || (type === 'number' && hasOnly(schema, traits['number-format'] as readonly string[]))) return type as Kind
  return 'other'
}

function hasOnly(schema: z.$ZodType, names: readonly string[]): boolean {
  for (const trait of schema._zod.traits) if (!names.includes(trait) && !base.includes(trait)) return false
  return true
}

/**
 * What zod's object does when the key is missing: an error, nothing at all, or something only the schema knows (a default, a catch).
 * A key that is there always takes what its schema gives.
 */
export function optionality(schema: z.$ZodType): 'required' | 'may-be-missing' | 'stands-in' {
  const { optin, optout } = schema._zod
  if (optin === undefined && optout === undefined) return 'required'
  return optin === 'optional' && optout === 'optional' ? 'may-be-missing' : 'stands-in'
}
