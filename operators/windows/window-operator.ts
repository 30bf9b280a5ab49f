import type { OperatorContext, OperatorFactory } from '../../engine/task/operator.ts'
import type { Aggregator, Aggregators } from '../aggregates/aggregator.ts'
import { type CompiledAggregate, compileAggregate } from '../aggregates/compile.ts'
import { DirectWindows } from './direct-windows.ts'
import { EarlyFixed } from './early-fixed.ts'
import { EarlySessions } from './early-sessions.ts'
import { EarlyWindows } from './early-windows.ts'
import { PanedWindows } from './paned-windows.ts'
import { SessionWindows } from './session-windows.ts'
import type { SlidingSpec, WindowSpec } from './spec.ts'

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
    if (spec.earlyMs === 0) return windowsOf(spec, aggregate, context, retracts)
    return new EarlyWindows(spec, aggregate, context, (own) => {
      if (spec.kind !== 'session') return { windows: windowsOf(spec, aggregate, own, retracts), state: new EarlyFixed(spec, own) }
      const sessions = new SessionWindows(spec, aggregate, own)
      return { windows: sessions, state: new EarlySessions(spec, own, sessions) }
    })
  }
}

function windowsOf<T, Row>(spec: WindowSpec, aggregate: CompiledAggregate<T, Row>, context: OperatorContext, retracts: boolean) {
  if (spec.kind === 'session') return new SessionWindows(spec, aggregate, context)
  return paned(spec, retracts) ? new PanedWindows(spec, aggregate, context) : new DirectWindows(spec, aggregate, context)
}

function paned(spec: SlidingSpec, retracts: boolean): boolean {
  return spec.kind === 'sliding' && !retracts
}

/** The stores that the window operator of a node named `name` uses. */
export function windowStores(name: string, spec: WindowSpec, { retracts = false }: WindowOperatorOptions = {}): readonly string[] {
  const own = spec.kind !== 'session' && paned(spec, retracts) ? [name, `${name}.apart`] : [name]
  return spec.earlyMs === 0 ? own : [...own, `${name}.changed`, `${name}.early`]
}

/** Whether the window can take records back; if not, it may not read from one that `updates`: the builder refuses the job. */
export function canRetract(spec: WindowSpec, aggregators: Readonly<Record<string, Aggregator<never, unknown>>>): boolean {
  // A session without one of its records may be shorter, or two. By processing time, what is taken back would be looked for in the window of the present.
  return spec.kind !== 'session' && spec.time === 'event' && Object.values(aggregators).every(({ retractable }) => retractable)
}
