import type { RecordInfo } from '../engine/model/topology.ts'
import type { OperatorFactory } from '../engine/task/operator.ts'
import { recordInfo } from '../engine/task/record-info.ts'
import { isPromise, promiseRefused } from './sync.ts'

/** Any number of values for each value, in their order: all of them, or none when the function throws on the way. */
export function flatMapOperator(expand: (value: unknown, record: RecordInfo) => Iterable<unknown>): OperatorFactory {
  return (context) => {
    const record = recordInfo(context.moment)
    return {
      process(value) {
        let results: readonly unknown[]
        try {
          const given = expand(value, record)
          if (isPromise(given)) throw promiseRefused(context.name)
          // What is made on demand is run to its end first, so that a late throw leaves nothing behind.
          results = Array.isArray(given) ? given : [...given]
          for (let i = 0; i < results.length; i++) if (isPromise(results[i])) throw promiseRefused(context.name)
        } catch (error) {
          context.bad(value, error)
          return
        }
        for (let i = 0; i < results.length; i++) context.emit(results[i])
      },
    }
  }
}
