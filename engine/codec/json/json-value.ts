import { type Problem, pathOf } from './problem.ts'

/** Nested deeper than this is not written: readers in other languages have limits too. */
const DEPTH_MAX = 500

/**
 * What JSON cannot carry, and JSON.stringify would drop, change or throw at: undefined (but as an optional member), NaN, bigint, Date,
 * Map, functions, cycles. @returns undefined when the value comes back from JSON as it is (but -0, which JSON.stringify writes as 0).
 */
export function jsonProblem(value: unknown, path: readonly PropertyKey[] = []): Problem | undefined {
  if (path.length > DEPTH_MAX) return { path: '$', message: `nested deeper than ${DEPTH_MAX}` }
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return undefined
    case 'number':
      return Number.isFinite(value) ? undefined : { path: pathOf(path), message: `JSON has no ${value}` }
    case 'object':
      return value === null ? undefined : objectProblem(value, path)
    default:
      return { path: pathOf(path), message: `JSON has no ${typeof value}` }
  }
}

function objectProblem(value: object, path: readonly PropertyKey[]): Problem | undefined {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      const problem = jsonProblem(value[i], [...path, i])
      if (problem !== undefined) return problem
    }
    return undefined
  }
  const prototype = Object.getPrototypeOf(value) as { constructor?: { name?: string } } | null
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    return { path: pathOf(path), message: `JSON has no ${prototype.constructor?.name || 'class instances'}; write plain objects` }
  }
  for (const [key, member] of Object.entries(value)) {
    const problem = member === undefined ? undefined : jsonProblem(member, [...path, key])
    if (problem !== undefined) return problem
  }
  return undefined
}
