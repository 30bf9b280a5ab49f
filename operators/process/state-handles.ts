import { checkStorable } from '../../engine/codec/value-codec.ts'
import { StreamError } from '../../engine/errors.ts'
import type { EpochMs, Key } from '../../engine/model/record.ts'
import type { KeptState } from '../../engine/model/topology.ts'
import type { Group, Store, Stores } from '../../engine/ports/state.ts'
import type { Expiry } from './expiry.ts'
import type { MapState, StateSpecs, ValueState } from './state-spec.ts'
import type { StateWatch } from './state-watch.ts'

/** The record or timer at hand: whose state it is, and what time. */
export interface Present {
  key: Key
  time: EpochMs
  /** The event time by which values expire. */
  stateTime: EpochMs
}

/** A value with a time to live: gone from `expires` on. */
interface Expiring {
  readonly value: unknown
  readonly expires: EpochMs
}

interface HandleHost {
  readonly name: string
  readonly operator: string
  readonly ttlMs: number | undefined
  readonly present: Present
  readonly store: Store<unknown>
  readonly expiry: Expiry | undefined
  readonly watch: StateWatch | undefined
}

export function stateStore(operator: string, name: string): string {
  return `${operator}.state.${name}`
}

/** What was put, out of what a store holds of it. */
export function valuePut(stored: unknown, { ttlMs }: KeptState): unknown {
  return ttlMs === undefined || stored === undefined ? stored : (stored as Expiring).value
}

/** The handles of all states of a process, which always mean the key at hand. */
export function stateHandles(
  operator: string,
  specs: StateSpecs,
  deps: { readonly stores: Stores; readonly present: Present; readonly expiry: Expiry | undefined; readonly watch: StateWatch | undefined },
): Readonly<Record<string, ValueState<unknown> | MapState<Key, unknown>>> {
  const { stores, ...rest } = deps
  const handles = Object.entries(specs).map(([name, spec]) => {
    const host: HandleHost = { ...rest, name, operator, ttlMs: spec.ttlMs, store: stores.store(stateStore(operator, name)) }
    return [name, spec.kind === 'value' ? valueHandle(host) : mapHandle(host)] as const
  })
  return Object.freeze(Object.fromEntries(handles))
}

// All values of a plain state are in one group, by key.
const onlyGroup = ''

function valueHandle(host: HandleHost): ValueState<unknown> {
  const { present, store } = host
  return {
    get: () => read(host, store.group(onlyGroup), present.key),
    put: (value) => write(host, onlyGroup, present.key, value),
    clear() {
      host.watch?.forget(host.name, onlyGroup, present.key)
      store.group(onlyGroup)?.remove(present.key)
    },
  }
}

function mapHandle(host: HandleHost): MapState<Key, unknown> {
  const { present, store } = host
  const group = () => store.group(present.key)
  const keys = () => {
    const found = group()
    const all = found?.keys() ?? []
    return host.ttlMs === undefined ? all : all.filter((key) => alive(found!.get(key), present.stateTime))
  }
  const remove = (key: Key): boolean => {
    const found = group()
    const there = found !== undefined && read(host, found, key) !== undefined
    host.watch?.forget(host.name, present.key, key)
    found?.remove(key)
    return there
  }
  return {
    get: (key) => read(host, group(), key),
    has: (key) => read(host, group(), key) !== undefined,
    put: (key, value) => write(host, present.key, key, value),
    remove,
    keys,
    entries: () => keys().map((key) => [key, read(host, group(), key)]),
    clear() {
      for (const key of group()?.keys() ?? []) remove(key)
    },
  }
}

function read({ name, ttlMs, present, watch }: HandleHost, group: Group<unknown> | undefined, key: Key): unknown {
  if (group === undefined) return undefined
  const stored = group.get(key)
  if (stored === undefined) return undefined
  if (ttlMs !== undefined && !alive(stored, present.stateTime)) return undefined
  const value = ttlMs === undefined ? stored : (stored as Expiring).value
  watch?.seen(name, group.at, key, value)
  return value
}

function write({ name, operator, ttlMs, present, store, expiry, watch }: HandleHost, at: Key, key: Key, value: unknown): void {
  if (value === undefined) {
    throw new StreamError(
      'STATE_VALUE_UNSUPPORTED',
      { operator, state: name, type: 'undefined' },
      { fix: 'remove the value with clear() or remove(key)' },
    )
  }
  if (typeof key !== 'string' && !(typeof key === 'number' && Number.isFinite(key))) {
    throw new StreamError('KEY_INVALID', {
      operator,
      state: name,
      key: String(key),
      path: '$',
      message: `the key of a state is ${String(key)}`,
    })
  }
  checkStorable(value, { operator, state: name })
  // -0 and 0 are one key.
  const place = key === 0 ? 0 : key
  const group = store.openGroup(at)
  if (ttlMs === undefined) group.put(place, value)
  else {
    const old = group.get(place) as Expiring | undefined
    const expires = present.stateTime + ttlMs
    group.put(place, { value, expires } satisfies Expiring)
    expiry!.noted(name, at, place, expires, ttlMs, old?.expires)
  }
  watch?.put(name, at, place, value)
}

function alive(stored: unknown, time: EpochMs): boolean {
  return (stored as Expiring).expires > time
}
