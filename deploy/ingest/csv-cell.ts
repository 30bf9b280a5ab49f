import * as z from 'zod'
import type { Codec } from '../../engine/codec/codec.ts'

export type CellType = 'string' | 'optional-string' | 'number' | 'boolean'
/** By column. */
export type CellTypes = Readonly<Record<string, CellType>>

/**
 * The value of one cell. With a type: text stays text; a cell that is no number or boolean where one is asked for stays text too, so that the
 * topic's schema says what is wrong. Without: a number only if writing it again gives the same text ("007" and "1.0" stay text), true, false, else text.
 * An empty cell is left out (undefined), except where the schema requires text.
 */
export function cellValue(cell: string, type?: CellType): string | number | boolean | undefined {
  if (cell === '') return type === 'string' ? '' : undefined
  if (type === 'string' || type === 'optional-string') return cell
  if (type === 'number') return isNumber(cell) ? Number(cell) : cell
  if (cell === 'true' || cell === 'false') return cell === 'true'
  if (type === 'boolean') return cell
  return isNumber(cell) && String(Number(cell)) === cell ? Number(cell) : cell
}

/** Decimal, and no whole number that a double would round. */
function isNumber(cell: string): boolean {
  if (!/^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(cell)) return false
  const number = Number(cell)
  return Number.isFinite(number) && (!/^\s*[+-]?\d+\s*$/.test(cell) || Number.isSafeInteger(number))
}

/** What a topic's codec says of the columns; empty where it has no schema. */
export function cellTypesOf(codec: Codec<unknown>): CellTypes {
  // Another copy of zod may have made it: what it says is read, not what it is an instance of.
  return 'schema' in codec ? cellTypes(codec.schema as z.ZodType) : {}
}

/** The types of an object schema's fields; those of other types (objects, unions) are left out. Empty for other schemas. */
export function cellTypes(schema: z.ZodType): CellTypes {
  const described = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' })
  const types: Record<string, CellType> = Object.create(null)
  for (const [name, property] of Object.entries(described.properties ?? {})) {
    const type = typeof property === 'object' ? typeOf(property) : undefined
    if (type !== undefined) types[name] = type === 'string' && !described.required?.includes(name) ? 'optional-string' : type
  }
  return types
}

function typeOf(property: z.core.JSONSchema.BaseSchema): CellType | undefined {
  const named = [property, ...(property.anyOf ?? [])].flatMap(({ type }) => type ?? [])
  const types = new Set(named.filter((type) => type !== 'null').map((type) => (type === 'integer' ? 'number' : type)))
  const [type] = types
  return types.size === 1 && (type === 'string' || type === 'number' || type === 'boolean') ? type : undefined
}
