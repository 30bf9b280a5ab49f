import type { OperatorNode } from '../engine/model/topology.ts'
import type { OperatorFactory } from '../engine/task/operator.ts'
import type { Aggregator } from './aggregates/aggregator.ts'
import { filterOperator } from './filter.ts'
import { flatMapOperator } from './flat-map.ts'
import type { Graph } from './graph.ts'
import { invalid } from './invalid.ts'
import { mapOperator } from './map.ts'
import { mergeOperator } from './merge.ts'
import { peekOperator } from './peek.ts'
import { branchOperator, otherwise, splitOperator } from './split.ts'
import type { StepOptions } from './stream.ts'
import type { Topic } from './topic.ts'
import { rowsOperator, windowFilterOperator, windowMapOperator } from './window-rows.ts'
import { describeWindow, updates, type WindowSpec } from './windows/spec.ts'
import { canRetract, windowOperator, windowStores } from './windows/window-operator.ts'

type JobFunction = (...parameters: unknown[]) => unknown
type Fields = Readonly<Record<string, Aggregator<unknown, unknown>>>
type AnyTopic = Topic<unknown, never>

/** What the builder knows of the values between two nodes. */
export interface Traits {
  readonly keyed: boolean
  /** They are `WindowOutput`s. */
  readonly windowed: boolean
  /** How long after its end a window upstream may take back and replace its result; 0: values are final. */
  readonly updatesMs: number
}

/** The one class behind all the stream types (stream.ts): those say what an author may call, this makes the nodes. */
export class Step {
  readonly graph: Graph
  readonly id: number
  readonly traits: Traits
  private plainRows: Step | undefined = undefined

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
      updatesMs: Math.max(...streams.map((stream) => stream.traits.updatesMs)),
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
    return Object.fromEntries([...names, otherwise].map((name) => [name, split.next('branch', branchOperator(name), undefined, {}, name)]))
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

  private aggregate(name: string, spec: WindowSpec<AnyTopic>, aggregators: Fields, options?: StepOptions): Step {
    const place = { job: this.graph.job, operator: this.graph.checkName('window', name) }
    const fields = Object.entries(aggregators).map(([field, { type }]) => `${field} ${type}`)
    if (fields.length === 0) throw invalid(place, 'nothing is aggregated', 'name at least one: .aggregate({ flights: count() })')
    const retracts = this.traits.updatesMs > 0
    if (retracts && !canRetract(spec, aggregators)) {
      throw invalid(
        { ...place, aggregators: fields },
        'a window with allowedLateness upstream takes results back, and these aggregators (or a window of this kind) can not take records out',
        'leave out allowedLateness there, or use aggregators that can: count, sum, avg, and others with `remove`, in tumbling or sliding windows',
      )
    }
    const step = this.nextNode(
      name,
      {
        kind: 'operator',
        type: 'window',
        detail: `${describeWindow(spec)}: ${fields.join(', ')}`,
        inputs: [this.id],
        make: windowOperator(spec, aggregators, { retracts }),
        stores: windowStores(name, spec, { retracts }),
        orderDependent: false,
        processingTime: spec.time === 'processing',
        sideOutputs: spec.late === undefined ? {} : { late: spec.late.definition },
      },
      options,
      { windowed: true, updatesMs: updates(spec) ? Math.max(spec.allowedLatenessMs, this.traits.updatesMs) : this.traits.updatesMs },
    )
    return step
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

  private nextNode(
    name: string | undefined,
    node: Omit<OperatorNode, 'id' | 'name' | 'onBad'>,
    options: StepOptions | undefined,
    traits: Partial<Traits>,
  ): Step {
    return new Step(this.graph, this.graph.add(name, node, options?.onBad), { ...this.traits, ...traits })
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

function stateless(
  type: string,
  inputs: readonly number[],
  make: OperatorFactory,
  detail = '',
): Omit<OperatorNode, 'id' | 'name' | 'onBad'> {
  return { kind: 'operator', type, detail, inputs, make, stores: [], orderDependent: false, processingTime: false, sideOutputs: {} }
}
