import type { OperatorFactory } from '../../engine/task/operator.ts'
import type { Aggregators } from '../aggregates/aggregator.ts'
import type { WindowSpec } from './spec.ts'

export interface WindowOperatorOptions {
  /** Records with `moment.retract` may come: the input is, or comes from, a window that `updates`. Needs `canRetract`. Default false. */
  readonly retracts?: boolean
}

/** The operator of a windowed aggregation; its input is keyed. Emits `WindowOutput<Row>`, see spec.ts. */
export function windowOperator<T, Row>(
  _spec: WindowSpec,
  _aggregators: Aggregators<T, Row>,
  _options: WindowOperatorOptions = {},
): OperatorFactory {
  throw new Error('under way')
}

/** The stores that the window operator of a node named `name` uses. */
export function windowStores(name: string, spec: WindowSpec): readonly string[] {
  return spec.kind === 'sliding' ? [name, `${name}.apart`] : [name]
}

/** Whether the window can take records back; if not, it may not read from one that `updates`: the builder refuses the job. */
export function canRetract<T, Row>(_spec: WindowSpec, _aggregators: Aggregators<T, Row>): boolean {
  return false
}
