import { depthMax } from './tags.ts'

/** Where in a value the first thing stands that has no encoding, and what it is. Only called when there is one. */
export function findUnsupported(value: unknown, path: string, depth = 0): { path: string; type: string } | undefined {
  if (typeof value === 'function' || typeof value === 'symbol') return { path, type: typeof value }
  if (typeof value !== 'object' || value === null) return undefined
  if (depth >= depthMax) return { path: `${path.slice(0, 60)}...`, type: 'nested too deep: a circle?' }
  for (const [step, item] of children(value)) {
    const found = findUnsupported(item, path + step, depth + 1)
    if (found !== undefined) return found
  }
  const symbol = Object.getOwnPropertySymbols(value)[0]
  if (symbol !== undefined) return { path: `${path}[${String(symbol)}]`, type: 'a property named by a symbol' }
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null || value instanceof Date || plain.has(prototype)) return undefined
  return { path, type: `an instance of ${className(value)}` }
}

const plain = new Set<unknown>([Object, Array, Map, Set, Uint8Array, Buffer].map(({ prototype }) => prototype as unknown))

function* children(value: object): Iterable<[string, unknown]> {
  if (value instanceof Map) {
    let i = 0
    for (const [key, item] of value) {
      yield [`.keys[${i}]`, key]
      yield [`.get(${describeKey(key)})`, item]
      i++
    }
  } else if (value instanceof Set) {
    let i = 0
    for (const item of value) yield [`.values[${i++}]`, item]
  } else if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) yield [`[${i}]`, value[i]]
  } else if (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null) {
    for (const name of Object.keys(value))
      yield [/^[\w$]+$/.test(name) ? `.${name}` : `[${JSON.stringify(name)}]`, (value as Record<string, unknown>)[name]]
  }
}

function describeKey(key: unknown): string {
  return typeof key === 'string' ? JSON.stringify(key) : typeof key === 'object' ? 'an object' : String(key)
}

function className(value: object): string {
  const made = (value as { constructor?: unknown }).constructor
  return typeof made === 'function' && made.name !== '' ? made.name : 'a class'
}
