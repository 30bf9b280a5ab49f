import type { Logger } from '../../ports/world.ts'
import { denied, notAllowed } from './denied.ts'
import { jobConsole } from './job-console.ts'
import { jobIntl } from './job-intl.ts'
import type { JobPresent } from './job-present.ts'

/**
 * What the global names mean in one instance of a job: names in `bound` are shadowed, all others are the host's.
 * Only what is part of the language or known to depend on its arguments alone is let through. Of the rest, what is known throws with advice;
 * what is not (a later release of Node added it, a library of the host put it there) is as if it did not exist.
 */
export interface JobGlobals {
  readonly bound: ReadonlyMap<string, unknown>
}

export function jobGlobals(present: JobPresent, logger: Logger): JobGlobals {
  const hostNames = Object.getOwnPropertyNames(globalThis).filter((name) => identifier.test(name))
  const bound = new Map<string, unknown>()
  for (const name of hostNames) if (!allowed.has(name)) bound.set(name, undefined)
  for (const name of refused) bound.set(name, denied(name))
  bound.set('Date', present.Date)
  bound.set('Math', jobMath(present))
  bound.set('Intl', jobIntl(present))
  bound.set('console', jobConsole(logger))
  bound.set('process', jobProcess())
  bound.set('Function', jobFunction(bound))
  for (const name of ['navigator', '__filename', '__dirname']) bound.set(name, undefined)
  const scope = globalScope(hostNames, bound)
  for (const name of ['globalThis', 'global']) {
    bound.set(name, scope)
    scope[name] = scope
  }
  return { bound }
}

const identifier = /^[A-Za-z_$][\w$]*$/

const refused = `setTimeout setInterval setImmediate queueMicrotask clearTimeout clearInterval clearImmediate
  fetch Request Response Headers FormData XMLHttpRequest WebSocket EventSource Worker MessageChannel MessagePort BroadcastChannel
  crypto Crypto CryptoKey SubtleCrypto performance Temporal eval WeakRef FinalizationRegistry Atomics WebAssembly
  AbortController AbortSignal EventTarget Event localStorage sessionStorage Storage
  ReadableStream WritableStream TransformStream CompressionStream DecompressionStream`.split(/\s+/)

/** Functions of their arguments alone. */
const allowed = new Set(
  `Object Array Number String Boolean Symbol BigInt Promise RegExp Map Set WeakMap WeakSet Proxy Reflect JSON Iterator
  Error AggregateError EvalError RangeError ReferenceError SyntaxError TypeError URIError DOMException
  ArrayBuffer DataView Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array BigInt64Array BigUint64Array
  Float16Array Float32Array Float64Array SharedArrayBuffer
  NaN Infinity undefined isNaN isFinite parseInt parseFloat decodeURI decodeURIComponent encodeURI encodeURIComponent escape unescape
  TextEncoder TextDecoder URL URLSearchParams Buffer atob btoa structuredClone`.split(/\s+/),
)

function jobMath(present: JobPresent): Math {
  return Object.create(Math, { random: { value: () => present.random(), writable: true, configurable: true } })
}

/** Libraries ask for NODE_ENV; nothing else of the process is there. */
function jobProcess(): unknown {
  const env = new Proxy(
    { NODE_ENV: 'production' },
    {
      get: (target, name) => {
        if (name in target || typeof name === 'symbol') return target[name as 'NODE_ENV']
        throw notAllowed(`process.env.${name}`)
      },
    },
  )
  return new Proxy(
    { env },
    {
      get: (target, name) => {
        if (name in target || typeof name === 'symbol') return target[name as 'env']
        throw notAllowed(`process.${name}`)
      },
      set: (_, name) => {
        throw notAllowed(`process.${String(name)}`)
      },
    },
  )
}

/** Code made at run time (zod does so) sees the same names as the job. */
function jobFunction(bound: ReadonlyMap<string, unknown>): FunctionConstructor {
  function JobFunction(...parts: string[]): unknown {
    const body = parts.pop() ?? ''
    return evaluate(bound, `return function anonymous(${parts.join(',')}\n) {'use strict';${body}\n}`)
  }
  JobFunction.prototype = Function.prototype
  return JobFunction as unknown as FunctionConstructor
}

/** Runs `text` as the body of a function in which the bound names are shadowed. */
export function evaluate(bound: ReadonlyMap<string, unknown>, text: string): unknown {
  return Function(...bound.keys(), text)(...bound.values())
}

/** The object that `globalThis` is: libraries may write to it, for this instance alone. */
function globalScope(hostNames: readonly string[], bound: ReadonlyMap<string, unknown>): Record<string, unknown> {
  const scope: Record<string, unknown> = {}
  const host = globalThis as Record<string, unknown>
  for (const name of hostNames)
    if (!bound.has(name)) Object.defineProperty(scope, name, { value: host[name], writable: true, configurable: true })
  for (const [name, value] of bound)
    if (value !== undefined) Object.defineProperty(scope, name, { value, writable: true, configurable: true })
  return scope
}
