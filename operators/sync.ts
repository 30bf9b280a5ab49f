import { StreamError } from '../engine/errors.ts'

/** What a function of a job may give back: anything but a promise. */
export type Sync<R> = R extends PromiseLike<unknown> ? PromiseRefused : R

/** What a function without a result may give back; unlike `void` alone it refuses an async function. */
// biome-ignore lint/suspicious/noConfusingVoidType: a function without `return` has the type void, which nothing else stands for
export type Nothing = void | undefined

/** Shown by the compiler where an async function stands: job functions are synchronous, their results must follow from the record alone. */
export interface PromiseRefused {
  readonly 'a job function must not return a promise': never
}

/** Whether a function of a job gave a promise; also those that are no `Promise`. */
export function isPromise(result: unknown): boolean {
  return typeof result === 'object' && result !== null && typeof (result as { then?: unknown }).then === 'function'
}

/** API_NOT_ALLOWED: stops the job whatever its policy on bad records is, because every record would be wrong in the same way. */
export function promiseRefused(operator: string): StreamError {
  return new StreamError(
    'API_NOT_ALLOWED',
    { api: 'Promise', operator, reason: 'a function of the job gave a promise where a value is expected' },
    { fix: 'make the function synchronous; bring data that has to be waited for into a topic and read it from there' },
  )
}
