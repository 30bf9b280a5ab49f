import { StreamError } from '../engine/errors.ts'
import type { RecordInfo } from '../engine/model/topology.ts'
import type { OperatorContext, OperatorFactory } from '../engine/task/operator.ts'
import { recordInfo } from '../engine/task/record-info.ts'

type Fn<R> = (value: unknown, record: RecordInfo) => R

/** One value for each. */
export const mapOperator = (fn: Fn<unknown>): OperatorFactory =>
  each((value, info, context) => context.emit(settled(fn(value, info))))

/** Those for which `fn` is true. */
export const filterOperator = (fn: Fn<unknown>): OperatorFactory =>
  each((value, info, context) => {
    if (settled(fn(value, info))) context.emit(value)
  })

/** None, one or several for each. */
export const flatMapOperator = (fn: Fn<Iterable<unknown>>): OperatorFactory =>
  each((value, info, context) => {
    for (const one of settled(fn(value, info)) as Iterable<unknown>) context.emit(one)
  })

/** Each as it is, after `fn` saw it. */
export const peekOperator = (fn: Fn<unknown>): OperatorFactory =>
  each((value, info, context) => {
    if (!context.moment.retract) settled(fn(value, info))
    context.emit(value)
  })

/** Each as it is: joins several inputs. */
export const mergeOperator: OperatorFactory = (context) => ({ process: (value) => context.emit(value) })

function each(step: (value: unknown, info: RecordInfo, context: OperatorContext) => void): OperatorFactory {
  return (context) => {
    const info = recordInfo(context.moment)
    return {
      process(value) {
        try {
          step(value, info, context)
        } catch (error) {
          context.bad(value, error)
        }
      },
    }
  }
}

/** A promise where a value is expected would make results depend on when it resolves. */
function settled<T>(value: T): T {
  if (typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function') {
    throw new StreamError('API_NOT_ALLOWED', { api: 'Promise', reason: 'the function returned a promise' }, { fix: 'return the value itself: operators are synchronous, so that a replay gives the same results' })
  }
  return value
}
