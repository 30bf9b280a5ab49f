import type { RecordInfo } from '../engine/model/topology.ts'
import type { OperatorFactory } from '../engine/task/operator.ts'
import { recordInfo } from '../engine/task/record-info.ts'
import { isPromise, promiseRefused } from './sync.ts'

/** Shows each value to a function and passes it on. Values that are taken back pass unseen. */
export function peekOperator(look: (value: unknown, record: RecordInfo) => unknown): OperatorFactory {
  return (context) => {
    const { moment } = context
    const record = recordInfo(moment)
    return {
      process(value) {
        if (!moment.retract) {
          try {
            if (isPromise(look(value, record))) throw promiseRefused(context.name)
          } catch (error) {
            context.bad(value, error)
            return
          }
        }
        context.emit(value)
      },
    }
  }
}
