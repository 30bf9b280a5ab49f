import type { RecordInfo } from '../engine/model/topology.ts'
import type { OperatorFactory } from '../engine/task/operator.ts'
import { recordInfo } from '../engine/task/record-info.ts'
import { isPromise, promiseRefused } from './sync.ts'

/** One value for each value; values that are taken back are mapped in the same way. */
export function mapOperator(map: (value: unknown, record: RecordInfo) => unknown): OperatorFactory {
  return (context) => {
    const record = recordInfo(context.moment)
    return {
      process(value) {
        let result: unknown
        try {
          result = map(value, record)
          if (isPromise(result)) throw promiseRefused(context.name)
        } catch (error) {
          context.bad(value, error)
          return
        }
        context.emit(result)
      },
    }
  }
}
