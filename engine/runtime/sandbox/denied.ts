import { StreamError } from '../../errors.ts'

/**
 * Stands in for something job code may not use: calling it, constructing it or looking at a property of it throws API_NOT_ALLOWED.
 * Symbols are let through, so that it can be printed.
 */
export function denied(api: string): unknown {
  const refuse = (used: string): never => {
    throw notAllowed(used)
  }
  return new Proxy(objects.has(api) ? {} : function refused() {}, {
    apply: () => refuse(api),
    construct: () => refuse(api),
    get: (_, name) => (typeof name === 'symbol' ? undefined : refuse(`${api}.${name}`)),
    set: (_, name) => refuse(`${api}.${String(name)}`),
  })
}

export function notAllowed(api: string): StreamError {
  return new StreamError('API_NOT_ALLOWED', { api }, { fix: adviceOn(api) })
}

/** What `typeof` says "object" of. */
const objects = new Set(['process', 'process.env', 'crypto', 'performance', 'Atomics', 'localStorage', 'sessionStorage', 'Temporal'])

function adviceOn(api: string): string {
  const name = api.split(/[.(]/)[0]!
  return advice.find(([names]) => names.includes(name))?.[1] ?? 'a job sees its input only, so that a replay gives the same results'
}

const advice: readonly (readonly [names: readonly string[], advice: string])[] = [
  [
    ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'clearTimeout', 'clearInterval', 'clearImmediate'],
    'nothing runs later by itself in a job: use a window, or a timer of `process`',
  ],
  [
    ['fetch', 'XMLHttpRequest', 'WebSocket', 'EventSource', 'Worker', 'BroadcastChannel', 'MessageChannel'],
    'bring what other systems know into a topic, merge it with the stream and keep it in the state of a process; call other systems from a reader of an output topic',
  ],
  [
    ['crypto', 'Crypto', 'CryptoKey', 'SubtleCrypto'],
    'make ids of the key, topic, partition and offset of the record; Math.random() is seeded and allowed',
  ],
  [['process'], 'write what the job needs into the job file: a setting that changes results makes a new version of the job'],
  [['performance', 'Temporal'], 'Date.now() gives the append time of the record, or the time of the timer'],
  [['WeakRef', 'FinalizationRegistry'], 'when memory is collected is not part of the input: keep a plain reference, or state'],
  [['require', 'import'], 'import what the job needs at the top of the file, by a name in quotes'],
  [['eval'], 'write the code into the job file'],
]
