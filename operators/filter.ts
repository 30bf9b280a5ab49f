import type { RecordInfo } from '../engine/model/topology.ts'
import type { OperatorFactory } from '../engine/task/operator.ts'
import { recordInfo } from '../engine/task/record-info.ts'
import { isPromise, promiseRefused } from './sync.ts'

/** Passes on the values that `keep` is true for. A value that is taken back was passed on exactly if it is now. */
export function filterOperator(keep: (value: unknown, record: RecordInfo) => unknown): OperatorFactory {
  return (context) => {
    const record = recordInfo(context.moment)
    return {
      process(value) {
        let kept: unknown
        try {
          kept = keep(value, record)
          // A promise is always truthy: without this an async predicate would keep everything.
          if (typeof kept !== 'boolean' && isPromise(kept)) throw promiseRefused(context.name)
        } catch (error) {
          context.bad(value, error)
          return
        }
        if (kept) context.emit(value)
      },
    }
  }
}
