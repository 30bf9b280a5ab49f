import type { OperatorFactory } from '../../engine/task/operator.ts'
import type { Aggregator, Aggregators } from '../aggregates/aggregator.ts'
import { compileAggregate } from '../aggregates/compile.ts'
import { DirectWindows } from './direct-windows.ts'
import { PanedWindows } from './paned-windows.ts'
import { SessionWindows } from './session-windows.ts'
import type { WindowSpec } from './spec.ts'

export interface WindowOperatorOptions {
  /** Records with `moment.retract` may come: the input is, or comes from, a window that `updates`. Needs `canRetract`. Default false. */
  readonly retracts?: boolean
}

/** The operator of a windowed aggregation; its input is keyed. Emits `WindowOutput<Row>`, see spec.ts. */
export function windowOperator<T, Row>(
  spec: WindowSpec,
  aggregators: Aggregators<T, Row>,
  { retracts = false }: WindowOperatorOptions = {},
): OperatorFactory {
  return (context) => {
    const aggregate = compileAggregate(aggregators, { retracts })
    if (spec.kind === 'session') return new SessionWindows(spec, aggregate, context)
    return spec.kind === 'sliding' && !retracts ? new PanedWindows(spec, aggregate, context) : new DirectWindows(spec, aggregate, context)
  }
}

/** The stores that the window operator of a node named `name` uses. */
export function windowStores(name: string, spec: WindowSpec, { retracts = false }: WindowOperatorOptions = {}): readonly string[] {
  return spec.kind === 'sliding' && !retracts ? [name, `${name}.apart`] : [name]
}

/** Whether the window can take records back; if not, it may not read from one that `updates`: the builder refuses the job. */
export function canRetract(spec: WindowSpec, aggregators: Readonly<Record<string, Aggregator<never, unknown>>>): boolean {
  // A session without one of its records may be shorter, or two.
  return spec.kind !== 'session' && Object.values(aggregators).every(({ retractable }) => retractable)
}
