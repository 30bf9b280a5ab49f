import type { OperatorNode, TopicDefinition } from '../../engine/model/topology.ts'
import { durationMs, durationText } from '../duration.ts'
import { invalid } from '../invalid.ts'
import type { Topic } from '../topic.ts'
import type { OutputType, ProcessDefinition, SideOutputs } from './definition.ts'
import { mainBranch, ProcessOperator, type ProcessPlan } from './process-operator.ts'
import { stateStore } from './state-handles.ts'
import type { StateSpecs } from './state-spec.ts'

export type AnyProcess = ProcessDefinition<never, unknown, StateSpecs, unknown, SideOutputs>
type NewOperator = Omit<OperatorNode, 'id' | 'name' | 'onBad'>

/** Checks a definition and makes its node. Errors: JOB_INVALID. @param updatesMs see Traits. */
export function processNode(place: { job: string; operator: string }, input: number, definition: AnyProcess, updatesMs: number) {
  const { state = {}, sideOutputs = {}, order = 'event-time', late } = definition
  for (const name of ['onRecord', 'onTimer', 'onProcessingTimer'] as const) {
    if (typeof definition[name] === 'function' || (definition[name] === undefined && name !== 'onRecord')) continue
    throw invalid({ ...place, given: String(definition[name]) }, `${name} must be a function`, `write ${name}(context, value) { ... }`)
  }
  if (order !== 'event-time' && order !== 'arrival')
    throw invalid({ ...place, order: String(order) }, 'there is no such order', "write order: 'event-time' or order: 'arrival'")
  for (const [name, spec] of Object.entries(state)) {
    checkName(place, 'state', name)
    if (spec?.kind !== 'value' && spec?.kind !== 'map')
      throw invalid({ ...place, state: name }, 'this is not a state', 'write value<number>() or map<string, number>()')
  }
  const topics: Record<string, TopicDefinition> = late === undefined ? {} : { late: late.definition }
  const streamPorts = new Set<string>()
  for (const [port, target] of Object.entries(sideOutputs)) {
    checkName(place, 'side output', port)
    if (port === 'late' || port === mainBranch)
      throw invalid({ ...place, port }, 'this name has a meaning of its own', 'choose another name')
    if (isOutputType(target)) streamPorts.add(port)
    else if (typeof target?.definition === 'object') topics[port] = target.definition
    else throw invalid({ ...place, port }, 'this is neither a topic nor a type', 'give a topic, or output<Alert>() for a stream')
  }
  const allowedLatenessMs = durationMs(definition.allowedLateness ?? 0, `allowedLateness of ${place.operator}`, 0)
  const plan: ProcessPlan = {
    state,
    arrivalOrder: order === 'arrival',
    allowedLatenessMs,
    topicPorts: new Set(Object.keys(topics).filter((port) => port !== 'late')),
    streamPorts,
    onRecord: definition.onRecord.bind(definition) as ProcessPlan['onRecord'],
    onTimer: definition.onTimer?.bind(definition) as ProcessPlan['onTimer'],
    onProcessingTimer: definition.onProcessingTimer?.bind(definition) as ProcessPlan['onProcessingTimer'],
  }
  const node: NewOperator = {
    kind: 'operator',
    type: 'process',
    detail: detailOf(plan),
    inputs: [input],
    make: (context) => new ProcessOperator(plan, context),
    stores: storesOf(place.operator, plan),
    states: state,
    // What a window replaces after it was delivered here can't be taken back: then it counts which came first.
    orderDependent: plan.arrivalOrder || allowedLatenessMs < updatesMs,
    processingTime: plan.onProcessingTimer !== undefined,
    sideOutputs: topics,
  }
  return { node, plan }
}

function storesOf(name: string, { state, arrivalOrder, onTimer, onProcessingTimer }: ProcessPlan): string[] {
  const stores = Object.keys(state).map((state) => stateStore(name, state))
  if (!arrivalOrder) stores.push(`${name}.records`)
  if (onTimer !== undefined) stores.push(`${name}.timers`)
  if (onProcessingTimer !== undefined) stores.push(`${name}.processing`)
  if (Object.values(state).some(({ ttlMs }) => ttlMs !== undefined)) stores.push(`${name}.expiry`)
  return stores
}

function detailOf({ state, arrivalOrder, allowedLatenessMs }: ProcessPlan): string {
  const states = Object.entries(state).map(
    ([name, { kind, ttlMs }]) => `${name} ${kind}${ttlMs === undefined ? '' : ` for ${durationText(ttlMs)}`}`,
  )
  return [
    arrivalOrder ? 'by arrival' : 'by event time',
    ...(allowedLatenessMs > 0 ? [`allowed lateness ${durationText(allowedLatenessMs)}`] : []),
    ...states,
  ].join(', ')
}

function checkName(place: { job: string; operator: string }, what: string, name: string): void {
  if (/^[a-zA-Z0-9_-]{1,80}$/.test(name)) return
  throw invalid({ ...place, [what]: name }, 'a name has 1 to 80 of the characters a-z A-Z 0-9 _ -', 'choose another name')
}

function isOutputType(target: OutputType<unknown> | Topic<unknown, never>): target is OutputType<unknown> {
  return target?.kind === 'output'
}
