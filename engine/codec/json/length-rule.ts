import type * as z from 'zod/v4/core'

/** What a string's length in code points must be. Conditions on `n`, as source text. */
export type LengthRule = readonly string[]

/** The rule of a string schema, or undefined when a part of it is not a length check. */
export function lengthRule(schema: z.$ZodString): LengthRule | undefined {
  const { checks = [], format } = schema._zod.def as z.$ZodStringDef & { format?: string }
  if (format !== undefined) return undefined
  const rule: string[] = []
  for (const check of checks) {
    const bound = boundOf(check._zod.def as z.$ZodCheckDef & Record<string, unknown>)
    if (bound === undefined) return undefined
    rule.push(bound)
  }
  return rule
}

function boundOf({ check, minimum, maximum, length }: z.$ZodCheckDef & Record<string, unknown>): string | undefined {
  if (check === 'min_length' && typeof minimum === 'number') return `n>=${minimum}`
  if (check === 'max_length' && typeof maximum === 'number') return `n<=${maximum}`
  return check === 'length_equals' && typeof length === 'number' ? `n===${length}` : undefined
}
