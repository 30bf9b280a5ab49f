import { StreamError } from '../../engine/errors.ts'
import type { Key } from '../../engine/model/record.ts'
import { compareValues } from '../value-order.ts'

/**
 * Catches values of state that are changed without `put`: such a change is lost with the next restart, or not, by chance. Slow; for tests.
 * Owns: copies of what a function of the job saw or put, for the length of a call.
 */
export class StateWatch {
  private readonly operator: string
  private readonly watched = new Map<string, { readonly state: string; readonly value: unknown; readonly copy: unknown }>()

  constructor(operator: string) {
    this.operator = operator
  }

  seen(state: string, at: Key, key: Key, value: unknown): void {
    const place = JSON.stringify([state, at, key])
    if (typeof value !== 'object' || value === null || this.watched.has(place)) return
    this.watched.set(place, { state, value, copy: structuredClone(value) })
  }

  put(state: string, at: Key, key: Key, value: unknown): void {
    this.forget(state, at, key)
    this.seen(state, at, key, value)
  }

  forget(state: string, at: Key, key: Key): void {
    this.watched.delete(JSON.stringify([state, at, key]))
  }

  /** Call after each function of the job. Errors: API_NOT_ALLOWED. */
  check(): void {
    const changed = [...this.watched.values()].find(({ value, copy }) => compareValues(value, copy) !== 0)
    this.watched.clear()
    if (changed === undefined) return
    throw new StreamError(
      'API_NOT_ALLOWED',
      { api: 'a value of state changed in place', operator: this.operator, state: changed.state },
      { fix: 'make a new value and put it: state.total.put({ ...state.total.get(), count: 1 })' },
    )
  }
}
