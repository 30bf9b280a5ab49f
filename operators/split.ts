import type { RecordInfo } from '../engine/model/topology.ts'
import type { OperatorFactory } from '../engine/task/operator.ts'
import { recordInfo } from '../engine/task/record-info.ts'
import { isPromise, promiseRefused } from './sync.ts'

/** A value on its way to one of several streams: ONE object an operator, changed for each value, read by `branchOperator` at once. */
export interface Routed {
  branch: string
  value: unknown
}

/** The branch that takes what no other took. */
export const otherwise = 'otherwise'

/** Sends each value to the first branch whose function is true for it, else to `otherwise`. A value that is taken back goes the way it went. */
export function splitOperator(branches: Readonly<Record<string, (value: unknown, record: RecordInfo) => unknown>>): OperatorFactory {
  const names = Object.keys(branches)
  const functions = Object.values(branches)
  return (context) => {
    const record = recordInfo(context.moment)
    const routed: Routed = { branch: otherwise, value: undefined }
    return {
      process(value) {
        let branch = otherwise
        try {
          for (let i = 0; i < functions.length; i++) {
            const taken = functions[i]!(value, record)
            if (typeof taken !== 'boolean' && isPromise(taken)) throw promiseRefused(context.name)
            if (!taken) continue
            branch = names[i]!
            break
          }
        } catch (error) {
          context.bad(value, error)
          return
        }
        routed.branch = branch
        routed.value = value
        context.emit(routed)
      },
    }
  }
}

/** The values that were sent to one branch. */
export function branchOperator(branch: string): OperatorFactory {
  return (context) => ({
    process(value) {
      const routed = value as Routed
      if (routed.branch === branch) context.emit(routed.value)
    },
  })
}
