import type * as z from 'zod/v4/core'
import { pathOf } from './problem.ts'

/**
 * Where a schema has a transform, which turns records into values but not back; undefined when values can be written.
 * `z.codec` has both directions and is no such place.
 */
export function oneWayAt(schema: z.$ZodType): string | undefined {
  return find(schema, [], new Set())
}

function find(schema: z.$ZodType, path: readonly string[], seen: Set<z.$ZodType>): string | undefined {
  if (seen.has(schema)) return undefined
  seen.add(schema)
  const def = schema._zod.def as z.$ZodTypeDef & Record<string, unknown>
  if (def.type === 'transform' || def.type === 'success') return pathOf(path)
  for (const [name, part] of parts(def)) {
    const found = find(part, def.type === 'object' && name !== '' ? [...path, name] : path, seen)
    if (found !== undefined) return found
  }
  return undefined
}

/** The schemas a schema is made of; named when they are members of an object. */
function* parts(def: Record<string, unknown>): Generator<[string, z.$ZodType]> {
  if (def.type === 'lazy') yield ['', (def.getter as () => z.$ZodType)()]
  if (def.type === 'object') for (const [name, part] of Object.entries(def.shape as z.$ZodShape)) yield [name, part]
  for (const value of Object.values(def)) {
    for (const part of Array.isArray(value) ? value : [value]) if (part?._zod?.def?.type !== undefined) yield ['', part]
  }
}
