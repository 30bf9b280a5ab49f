import { depthMax } from './tags.ts'

/** Whether writeValue would take a value, nested `depth` levels deep: its rules, with nothing written. */
export function hasEncoding(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'object':
      return value === null || objectHasEncoding(value, depth)
    case 'function':
    case 'symbol':
      return false
    default:
      return true
  }
}

const plain = Object.prototype
const symbolsOf = Object.getOwnPropertySymbols

function objectHasEncoding(value: object, depth: number): boolean {
  if (depth >= depthMax) return false
  // biome-ignore lint/suspicious/noProto: as in writeValue
  if ((value as { __proto__?: unknown }).__proto__ === plain) return propertiesHave(value as Record<string, unknown>, depth + 1)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === plain || prototype === null) return propertiesHave(value as Record<string, unknown>, depth + 1)
  if (Array.isArray(value)) return prototype === Array.prototype && itemsHave(value, depth + 1)
  if (prototype === Map.prototype) return entriesHave(value as Map<unknown, unknown>, depth + 1)
  if (prototype === Set.prototype) return itemsHave(value as Set<unknown>, depth + 1)
  return prototype === Uint8Array.prototype || prototype === Buffer.prototype || value instanceof Date
}

function propertiesHave(value: Record<string, unknown>, depth: number): boolean {
  for (const name in value) if (!hasEncoding(value[name], depth)) return false
  return symbolsOf(value).length === 0
}

function itemsHave(items: Iterable<unknown>, depth: number): boolean {
  for (const item of items) if (!hasEncoding(item, depth)) return false
  return true
}

function entriesHave(entries: ReadonlyMap<unknown, unknown>, depth: number): boolean {
  for (const [key, item] of entries) if (!hasEncoding(key, depth) || !hasEncoding(item, depth)) return false
  return true
}
