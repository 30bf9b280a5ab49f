import * as z from 'zod/v4/core'

/** What a number must be besides finite. `bounds` are conditions on `v`, as source text. */
export interface NumberRule {
  readonly int: boolean
  readonly bounds: readonly string[]
}

/** The rule of a number schema, or undefined when a part of it is not one of the simple checks. */
export function numberRule(schema: z.$ZodNumber): NumberRule | undefined {
  const { checks = [] } = schema._zod.def
  const own = 'check' in schema._zod.def ? [schema as unknown as z.$ZodCheck] : []
  let int = false
  const bounds: string[] = []
  for (const check of [...own, ...checks]) {
    const rule = ruleOf(check._zod.def as z.$ZodCheckDef & Record<string, unknown>)
    if (rule === undefined) return undefined
    int ||= rule.int
    bounds.push(...rule.bounds)
  }
  return { int, bounds }
}

function ruleOf(def: z.$ZodCheckDef & Record<string, unknown>): NumberRule | undefined {
  const { value, inclusive, format } = def
  switch (def.check) {
    case 'greater_than':
      return typeof value === 'number' ? { int: false, bounds: [`v${inclusive ? '>=' : '>'}${value}`] } : undefined
    case 'less_than':
      return typeof value === 'number' ? { int: false, bounds: [`v${inclusive ? '<=' : '<'}${value}`] } : undefined
    case 'number_format': {
      const range = z.util.NUMBER_FORMAT_RANGES[format as keyof typeof z.util.NUMBER_FORMAT_RANGES] as [number, number] | undefined
      return range && { int: (format as string).includes('int'), bounds: format === 'safeint' ? [] : [`v>=${range[0]}`, `v<=${range[1]}`] }
    }
    default:
      return undefined
  }
}
