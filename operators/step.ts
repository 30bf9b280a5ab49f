import type { OperatorNode } from '../engine/model/topology.ts'
import type { OperatorFactory } from '../engine/task/operator.ts'
import type { Aggregator } from './aggregates/aggregator.ts'
import { durationMs, durationText } from './duration.ts'
import { filterOperator } from './filter.ts'
import { flatMapOperator } from './flat-map.ts'
import type { Graph } from './graph.ts'
import { invalid } from './invalid.ts'
import { mapOperator } from './map.ts'
import { mergeOperator } from './merge.ts'
import { peekOperator } from './peek.ts'
import { type AnyProcess, processNode } from './process/process-node.ts'
import { mainBranch } from './process/process-operator.ts'
import { branchOperator, otherwise, splitOperator } from './split.ts'
import type { StepOptions, TableOptions } from './stream.ts'
import { TableOperator, type TablePlan } from './table.ts'
import type { Topic } from './topic.ts'
import { rowsOperator, windowFilterOperator, windowMapOperator } from './window-rows.ts'
import { describeWindow, updates, type WindowSpec, windowEnds } from './windows/spec.ts'
import { canRetract, windowOperator, windowStores } from './windows/window-operator.ts'

type JobFunction = (...parameters: unknown[]) => unknown
type Fields = Readonly<Record<string, Aggregator<unknown, unknown>>>
type NewOperator = Omit<OperatorNode, 'id' | 'name' | 'onBad'>
type AnyTopic = Topic<unknown, never>

/** What the builder knows of the values between two nodes. */
export interface Traits {
  readonly keyed: boolean
  /** They are `WindowOutput`s. */
  readonly windowed: boolean
  /** A window upstream may take results back and replace them. */
  readonly retracts: boolean
  /** How long after its end it may do so; 0: what is of a time that has passed is final. */
  readonly updatesMs: number
  /** How long after its time a value may be emitted: by a `process` that waits for late records. */
  readonly delayMs: number
}

export const plainValues: Traits = { keyed: false, windowed: false, retracts: false, updatesMs: 0, delayMs: 0 }

/** The one class behind all the stream types (stream.ts): those say what an author may call, this makes the nodes. */
export class Step {
  readonly graph: Graph
  readonly id: number
  readonly traits: Traits
  private plainRows: Step | undefined = undefined
  private sides: ReadonlyMap<string, Step> | undefined = undefined

  constructor(graph: Graph, id: number, traits: Traits) {
    this.graph = graph
    this.id = id
    this.traits = traits
  }

  map(map: JobFunction, options?: StepOptions): Step {
    this.checkFunction('map', map)
    const make = this.traits.windowed ? windowMapOperator(map) : mapOperator(map)
    return this.next('map', make, options, { windowed: false })
  }

  filter(keep: JobFunction, options?: StepOptions): Step {
    this.checkFunction('filter', keep)
    return this.next('filter', this.traits.windowed ? windowFilterOperator(keep) : filterOperator(keep), options)
  }

  flatMap(expand: JobFunction, options?: StepOptions): Step {
    this.checkFunction('flatMap', expand)
    return this.rows().next('flatMap', flatMapOperator(expand as (...parameters: unknown[]) => Iterable<unknown>), options)
  }

  peek(look: JobFunction, options?: StepOptions): Step {
    this.checkFunction('peek', look)
    return this.rows().next('peek', peekOperator(look), options)
  }

  merge(...others: readonly Step[]): Step {
    const streams = [this, ...others].map((other) => this.own('merge', other).rows())
    const traits: Traits = {
      keyed: streams.every((stream) => stream.traits.keyed),
      windowed: false,
      retracts: streams.some((stream) => stream.traits.retracts),
      updatesMs: Math.max(...streams.map((stream) => stream.traits.updatesMs)),
      delayMs: Math.max(...streams.map((stream) => stream.traits.delayMs)),
    }
    const id = this.graph.add(
      undefined,
      stateless(
        'merge',
        streams.map((stream) => stream.id),
        mergeOperator,
      ),
      undefined,
    )
    return new Step(this.graph, id, traits)
  }

  split(branches: Readonly<Record<string, JobFunction>>, options?: StepOptions): Readonly<Record<string, Step>> {
    const names = Object.keys(branches)
    for (const name of names) this.checkFunction(`split branch ${name}`, branches[name])
    const place = { job: this.graph.job, type: 'split' }
    if (names.length === 0) throw invalid(place, 'there is no branch', 'name at least one: .split({ large: (value) => value.size > 10 })')
    if (names.includes(otherwise)) throw invalid(place, `'${otherwise}' is the branch of what no other took`, 'choose another name')
    // Digits would be sorted before all other names: the order the author wrote is the order they are asked in.
    const digits = names.find((name) => /^\d+$/.test(name))
    if (digits !== undefined)
      throw invalid({ ...place, branch: digits }, 'the name of a branch must not be a number', 'choose another name')
    const split = this.rows().next('split', splitOperator(branches), options, {}, names.join(', '))
    return Object.fromEntries([...names, otherwise].map((name) => [name, split.branch(name)]))
  }

  keyBy(name: string, key: JobFunction, options?: StepOptions): Step {
    this.graph.checkName('keyBy', name)
    this.checkFunction('keyBy', key, name)
    const input = this.rows()
    const id = this.graph.add(
      name,
      { kind: 'keyBy', detail: '', input: input.id, key: key as (...parameters: unknown[]) => string },
      options?.onBad,
    )
    return new Step(this.graph, id, { ...input.traits, keyed: true })
  }

  to(topic: AnyTopic, options?: StepOptions): void {
    if (typeof topic?.definition !== 'object') {
      throw invalid(
        { job: this.graph.job, type: 'to', given: String(topic) },
        'this is not a topic',
        "declare one: topic('name', { value: ... })",
      )
    }
    this.graph.sink(this.rows().id, topic, options?.onBad)
  }

  window(name: string, spec: WindowSpec<AnyTopic>, options?: StepOptions): { aggregate(aggregators: Fields): Step } {
    this.graph.checkName('window', name)
    this.checkKeyed('window', name)
    return { aggregate: (aggregators) => this.rows().aggregate(name, spec, aggregators, options) }
  }

  process(name: string, definition: AnyProcess): Step {
    this.graph.checkName('process', name)
    this.checkKeyed('process', name)
    if (typeof definition !== 'object' || definition === null) {
      throw invalid(
        { job: this.graph.job, operator: name },
        'there is nothing to call',
        'write .process(name, { onRecord(context, value) { ... } })',
      )
    }
    const input = this.rows()
    const place = { job: this.graph.job, operator: name }
    const { node, plan } = processNode(place, input.id, definition, this.traits.updatesMs)
    this.checkDelay(place, plan.allowedLatenessMs)
    const traits: Partial<Traits> = {
      windowed: false,
      retracts: false,
      updatesMs: 0,
      delayMs: plan.arrivalOrder ? this.traits.delayMs : plan.allowedLatenessMs,
    }
    const all = input.nextNode(name, node, definition, traits)
    if (plan.streamPorts.size === 0) return all
    const main = all.branch(mainBranch)
    main.sides = new Map([...plan.streamPorts].map((port) => [port, all.branch(port)]))
    return main
  }

  sideOutput(port: string): Step {
    const side = this.sides?.get(port)
    if (side !== undefined) return side
    throw invalid(
      { job: this.graph.job, operator: this.graph.node(this.id).name, port, known: [...(this.sides?.keys() ?? [])] },
      'there is no stream of this name beside it',
      'name it where the process is defined: sideOutputs: { alerts: output<Alert>() }',
    )
  }

  table(name: string, options: TableOptions = {}): { readonly name: string; toStream(): Step } {
    this.checkKeyed('table', name)
    return this.tableOf(name, 'time', options)
  }

  /** A table of this stream, whose records come by offset or by time. */
  tableOf(
    name: string,
    order: TablePlan['order'],
    { deletedFor = '1d', onBad }: TableOptions,
  ): { readonly name: string; toStream(): Step } {
    this.graph.checkName('table', name)
    const plan: TablePlan = { order, deletedForMs: durationMs(deletedFor, `deletedFor of table ${name}`, 0) }
    const node: NewOperator = {
      ...stateless('table', [this.rows().id], (context) => new TableOperator(plan, context), `latest by ${order}`),
      stores: [name, `${name}.deleted`],
    }
    const changes = this.nextNode(name, node, { onBad } as StepOptions, { keyed: true, windowed: false, retracts: false, updatesMs: 0 })
    return { name, toStream: () => changes }
  }

  private aggregate(name: string, spec: WindowSpec<AnyTopic>, aggregators: Fields, options?: StepOptions): Step {
    const place = { job: this.graph.job, operator: this.graph.checkName('window', name) }
    const fields = Object.entries(aggregators).map(([field, { type }]) => `${field} ${type}`)
    if (fields.length === 0) throw invalid(place, 'nothing is aggregated', 'name at least one: .aggregate({ flights: count() })')
    if (spec.time === 'event') this.checkDelay(place, spec.allowedLatenessMs)
    const { retracts } = this.traits
    if (retracts && !canRetract(spec, aggregators)) {
      throw invalid(
        { ...place, aggregators: fields },
        'a window with allowedLateness or early results upstream takes results back, and these aggregators (or a window of this kind) can not take records out',
        'leave out allowedLateness and early there, or use a tumbling or sliding window by event time and give aggregators of your own a `remove`',
      )
    }
    const ends = windowEnds(spec)
    const step = this.nextNode(
      name,
      {
        kind: 'operator',
        type: 'window',
        ...(ends === undefined ? {} : { windowEnds: ends }),
        detail: `${describeWindow(spec)}: ${fields.join(', ')}`,
        inputs: [this.id],
        make: windowOperator(spec, aggregators, { retracts }),
        stores: windowStores(name, spec, { retracts }),
        orderDependent: false,
        processingTime: spec.time === 'processing',
        sideOutputs: spec.late === undefined ? {} : { late: spec.late.definition },
      },
      options,
      {
        windowed: true,
        delayMs: 0,
        retracts: updates(spec) || retracts,
        updatesMs: Math.max(spec.allowedLatenessMs, this.traits.updatesMs),
      },
    )
    return step
  }

  private branch(name: string): Step {
    return this.next('branch', branchOperator(name), undefined, {}, name)
  }

  /** This stream as plain values. */
  private rows(): Step {
    if (!this.traits.windowed) return this
    this.plainRows ??= this.next('rows', rowsOperator, undefined, { windowed: false })
    return this.plainRows
  }

  private next(type: string, make: OperatorFactory, options?: StepOptions, traits: Partial<Traits> = {}, detail = ''): Step {
    return this.nextNode(undefined, stateless(type, [this.id], make, detail), options, traits)
  }

  private nextNode(name: string | undefined, node: NewOperator, options: StepOptions | undefined, traits: Partial<Traits>): Step {
    return new Step(this.graph, this.graph.add(name, node, options?.onBad), { ...this.traits, ...traits })
  }

  /** What a process upstream holds back for late records would all be late here. */
  private checkDelay(place: { job: string; operator: string }, allowedLatenessMs: number): void {
    const { delayMs } = this.traits
    if (allowedLatenessMs >= delayMs) return
    throw invalid(
      { ...place, allowedLateness: durationText(allowedLatenessMs), upstream: durationText(delayMs) },
      'a process before it has a higher allowedLateness and emits its values by so much later: here they would be late',
      `write allowedLateness: '${durationText(delayMs)}' here too`,
    )
  }

  private checkKeyed(type: string, name: string): void {
    if (this.traits.keyed) return
    throw invalid(
      { job: this.graph.job, operator: name, type },
      `a ${type} works on a stream that is grouped by key`,
      `put .keyBy('by-customer', (value) => value.customer) before it`,
    )
  }

  private checkFunction(type: string, given: unknown, name?: string): void {
    if (typeof given === 'function') return
    throw invalid({ job: this.graph.job, operator: name, type, given: String(given) }, `${type} needs a function`, `write (value) => ...`)
  }

  private own(type: string, other: unknown): Step {
    if (other instanceof Step && other.graph === this.graph) return other
    throw invalid({ job: this.graph.job, type }, 'this is not a stream of this job', 'use streams that come from the same job.from()')
  }
}

function stateless(type: string, inputs: readonly number[], make: OperatorFactory, detail = ''): NewOperator {
  return { kind: 'operator', type, detail, inputs, make, stores: [], orderDependent: false, processingTime: false, sideOutputs: {} }
}
