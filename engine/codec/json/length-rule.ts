import type * as z from 'zod/v4/core'

/** What a string's length in code points must be. Conditions on `n`, as source text. */
export type LengthRule = readonly string[]

/** The rule of a string schema, or undefined when a part of it is not a length check. */
export function lengthRule(schema: z.$ZodString): LengthRule | undefined {
  const { checks = [], format } = schema._zod.def as z.$ZodStringDef & { format?: string }
  if (format !== undefined) return undefined
  const rule: string[] = []
  for (const check of checks) {
    const def = check._zod.def as z.$ZodCheckDef & Record<string, unknown>
    const bound =
      def.check === 'min_length'
        ? `n>=${def.minimum}`
        : def.check === 'max_length'
          ? `n<=${def.maximum}`
          : def.check === 'length_equals'
            ? `n===${def.length}`
            : undefined
    if (bound === undefined) return undefined
    rule.push(bound)
  }
  return rule
}
