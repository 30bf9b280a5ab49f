import type { OperatorFactory } from '../engine/task/operator.ts'

/** All values of all inputs as they come. */
export const mergeOperator: OperatorFactory = (context) => ({
  process(value) {
    context.emit(value)
  },
})
