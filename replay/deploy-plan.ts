/** What is compared of an output's schema; JSON Schema as zod writes it. */
type Schema = Readonly<Record<string, unknown>>

/**
 * What readers of values of `before` would stumble over in values of `after`: fields that are gone or no longer always there, and values of
 * other types. New fields are no harm. Each as a path with the reason. Pure.
 */
export function schemaBreaks(before: object | undefined, after: object | undefined, path = '$'): string[] {
  if (before === undefined || after === undefined) return []
  const [old, now] = [before as Schema, after as Schema]
  const types = [typesOf(old), typesOf(now)]
  const added = types[1]!.filter((type) => !types[0]!.includes(type) && !(type === 'integer' && types[0]!.includes('number')))
  if (types[0]!.length > 0 && added.length > 0) return [`${path}: ${types[0]!.join(' or ')} becomes ${types[1]!.join(' or ')}`]
  const breaks: string[] = []
  const fields = propertiesOf(old)
  const newFields = propertiesOf(now)
  for (const [name, field] of Object.entries(fields)) {
    const at = `${path}.${name}`
    if (newFields[name] === undefined) breaks.push(`${at}: is gone`)
    else {
      if (requiredOf(old).includes(name) && !requiredOf(now).includes(name)) breaks.push(`${at}: is not always there any more`)
      breaks.push(...schemaBreaks(field, newFields[name], at))
    }
  }
  if (isSchema(old.items) && isSchema(now.items)) breaks.push(...schemaBreaks(old.items, now.items, `${path}[]`))
  return breaks
}

function typesOf(schema: Schema): string[] {
  if (typeof schema.type === 'string') return [schema.type]
  if (Array.isArray(schema.type)) return schema.type as string[]
  if (Array.isArray(schema.anyOf)) return [...new Set((schema.anyOf as Schema[]).flatMap(typesOf))].sort()
  return []
}

function propertiesOf({ properties }: Schema): Readonly<Record<string, Schema | undefined>> {
  return isSchema(properties) ? (properties as Record<string, Schema>) : {}
}

function requiredOf({ required }: Schema): readonly string[] {
  return Array.isArray(required) ? (required as string[]) : []
}

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** One line of a plan: what becomes of an operator, a store, a source or an output. */
export interface Change {
  readonly change: 'added' | 'removed' | 'changed' | 'same'
  readonly what: 'operator' | 'store' | 'source' | 'output'
  readonly name: string
  readonly detail: string
}

/** A part of a topology as it is compared: equal texts, equal parts. */
export interface Part {
  readonly what: Change['what']
  readonly name: string
  readonly text: string
  readonly detail: string
}

/** Parts by kind and name, in the order of the new version, then what it lacks. Pure. */
export function changesOf(before: readonly Part[], after: readonly Part[]): Change[] {
  const keyOf = ({ what, name }: Part) => `${what} ${name}`
  const old = new Map(before.map((part) => [keyOf(part), part]))
  const changes = after.map((part): Change => {
    const known = old.get(keyOf(part))
    old.delete(keyOf(part))
    const change = known === undefined ? 'added' : known.text === part.text ? 'same' : 'changed'
    const { what, name, detail } = part
    return { change, what, name, detail: change === 'changed' && known!.detail !== detail ? `${known!.detail} → ${detail}` : detail }
  })
  for (const { what, name, detail } of old.values()) changes.push({ change: 'removed', what, name, detail })
  return changes
}
