/** What is compared of an output's schema; JSON Schema as zod writes it. */
type Schema = Readonly<Record<string, unknown>>

const anything = 'anything'

/**
 * What readers of values of `before` would stumble over in values of `after`: fields that are gone or no longer always there, and values that
 * could not be before. New fields are no harm. Each as a path with the reason. Pure.
 */
export function schemaBreaks(before: object | undefined, after: object | undefined, path = '$'): string[] {
  if (before === undefined || after === undefined) return []
  const [old, now] = [variantsOf(before as Schema), variantsOf(after as Schema)]
  const [types, newTypes] = [typesOf(old), typesOf(now)]
  if (types.includes(anything)) return []
  if (newTypes.some((type) => !types.some((known) => covers(known, type))))
    return [`${path}: ${types.join(' or ')} becomes ${newTypes.join(' or ')}`]
  return [...new Set(now.flatMap((variant) => fewestBreaks(old, variant, path)))]
}

/** Held against the variant of before that it is most like. */
function fewestBreaks(old: readonly Schema[], now: Schema, path: string): string[] {
  return old
    .filter((variant) => covers(typeOf(variant), typeOf(now)))
    .map((variant) => breaksOfOneType(variant, now, path))
    .reduce((fewest, breaks) => (breaks.length < fewest.length ? breaks : fewest))
}

function breaksOfOneType(old: Schema, now: Schema, path: string): string[] {
  return [...valueBreaks(old, now, path), ...fieldBreaks(old, now, path), ...itemBreaks(old, now, path)]
}

function valueBreaks(old: Schema, now: Schema, path: string): string[] {
  const [values, newValues] = [valuesOf(old), valuesOf(now)]
  if (values === undefined) return []
  if (newValues === undefined) return [`${path}: ${values.map((value) => JSON.stringify(value)).join(' or ')} becomes any ${typeOf(now)}`]
  return newValues.filter((value) => !values.includes(value)).map((value) => `${path}: ${JSON.stringify(value)} is a new value`)
}

function fieldBreaks(old: Schema, now: Schema, path: string): string[] {
  const [fields, newFields] = [propertiesOf(old), propertiesOf(now)]
  const others = schemaIn(old.additionalProperties)
  const breaks = schemaBreaks(others, schemaIn(now.additionalProperties), `${path}.*`)
  for (const [name, field] of Object.entries(newFields))
    if (!(name in fields)) breaks.push(...schemaBreaks(others, field, `${path}.${name}`))
  for (const [name, field] of Object.entries(fields)) {
    const at = `${path}.${name}`
    const newField = newFields[name]
    if (newField === undefined) breaks.push(`${at}: is gone`)
    else {
      if (requiredOf(old).includes(name) && !requiredOf(now).includes(name)) breaks.push(`${at}: is not always there any more`)
      breaks.push(...schemaBreaks(field, newField, at))
    }
  }
  return breaks
}

function itemBreaks(old: Schema, now: Schema, path: string): string[] {
  const [items, newItems] = [placesOf(old), placesOf(now)]
  const places = items.flatMap((item, i) =>
    newItems[i] === undefined ? [`${path}[${i}]: is gone`] : schemaBreaks(item, newItems[i], `${path}[${i}]`),
  )
  return [...places, ...schemaBreaks(schemaIn(old.items), schemaIn(now.items), `${path}[]`)]
}

/** A value is of one of them, each of one type. */
function variantsOf(schema: Schema): Schema[] {
  const { anyOf, oneOf, type } = schema
  const either = anyOf ?? oneOf
  if (Array.isArray(either)) return withValuesTogether((either as Schema[]).flatMap(variantsOf))
  return Array.isArray(type) ? (type as string[]).map((one) => ({ ...schema, type: one })) : [schema]
}

/** Single values of one type as one list of them. */
function withValuesTogether(variants: readonly Schema[]): Schema[] {
  const listed = variants.filter((variant) => valuesOf(variant) !== undefined)
  const lists = typesOf(listed).map((type) => {
    const values = listed.filter((variant) => typeOf(variant) === type).flatMap((variant) => valuesOf(variant)!)
    return { type, enum: values }
  })
  return [...variants.filter((variant) => valuesOf(variant) === undefined), ...lists]
}

function typesOf(variants: readonly Schema[]): string[] {
  return [...new Set(variants.map(typeOf))]
}

function typeOf({ type }: Schema): string {
  return typeof type === 'string' ? type : anything
}

function covers(type: string, other: string): boolean {
  return type === other || (type === 'number' && other === 'integer')
}

function valuesOf({ enum: several, const: one }: Schema): readonly unknown[] | undefined {
  if (Array.isArray(several)) return several
  return one === undefined ? undefined : [one]
}

function propertiesOf({ properties }: Schema): Readonly<Record<string, Schema | undefined>> {
  return (schemaIn(properties) ?? {}) as Record<string, Schema>
}

function requiredOf({ required }: Schema): readonly string[] {
  return Array.isArray(required) ? (required as string[]) : []
}

/** Of a tuple. */
function placesOf({ prefixItems }: Schema): readonly Schema[] {
  return Array.isArray(prefixItems) ? (prefixItems as Schema[]) : []
}

function schemaIn(value: unknown): Schema | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Schema) : undefined
}
