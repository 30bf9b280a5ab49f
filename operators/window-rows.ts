import type { RecordInfo } from '../engine/model/topology.ts'
import type { OperatorFactory } from '../engine/task/operator.ts'
import { recordInfo } from '../engine/task/record-info.ts'
import { isPromise, promiseRefused } from './sync.ts'
import type { WindowInfo, WindowOutput } from './windows/spec.ts'

type OfWindow = (row: unknown, window: WindowInfo, record: RecordInfo) => unknown

/** `map` of a window's results: the function also gets the window. */
export function windowMapOperator(map: OfWindow): OperatorFactory {
  return (context) => {
    const record = recordInfo(context.moment)
    return {
      process(value) {
        const output = value as WindowOutput<unknown>
        let result: unknown
        try {
          result = map(output.row, output.window, record)
          if (isPromise(result)) throw promiseRefused(context.name)
        } catch (error) {
          context.bad(output.row, error)
          return
        }
        context.emit(result)
      },
    }
  }
}

/** `filter` of a window's results; what is kept is still a window's result. */
export function windowFilterOperator(keep: OfWindow): OperatorFactory {
  return (context) => {
    const record = recordInfo(context.moment)
    return {
      process(value) {
        const output = value as WindowOutput<unknown>
        let kept: unknown
        try {
          kept = keep(output.row, output.window, record)
          if (typeof kept !== 'boolean' && isPromise(kept)) throw promiseRefused(context.name)
        } catch (error) {
          context.bad(output.row, error)
          return
        }
        if (kept) context.emit(output)
      },
    }
  }
}

/** The rows of a window's results without their windows, for everything that does not know of windows. */
export const rowsOperator: OperatorFactory = (context) => ({
  process(value) {
    context.emit((value as WindowOutput<unknown>).row)
  },
})
