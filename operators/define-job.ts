import type { BadRecordPolicy, Topology } from '../engine/model/topology.ts'
import { Graph } from './graph.ts'
import { invalid } from './invalid.ts'
import { plainValues, Step } from './step.ts'
import type { StepOptions, Stream, Table, TableOptions } from './stream.ts'
import { isPromise, type Nothing } from './sync.ts'
import { checkPolicy, type Topic } from './topic.ts'

/** A job as its file exports it: its topology, checked. */
export type Job = Topology

export interface JobSettings {
  /** What becomes of records that can't be processed, where source or operator don't say. Default `fail`: the job stops, nothing is lost. */
  readonly onBad?: BadRecordPolicy
}

/** What the function of `defineJob` gets. */
export interface JobBuilder {
  /** The records of a topic. A table is not read as a stream: the log drops what later records of a key replace. */
  from<T>(topic: Topic<T, never, 'stream'>, options?: StepOptions): Stream<T>
  /** The latest value of each key of a table topic, kept in a store of this name. */
  table<T>(name: string, topic: Topic<T, never, 'table'>, options?: TableOptions): Table<string, T>
}

type Build = (job: JobBuilder) => Nothing

/**
 * Defines a job: names its inputs, what is done with them, and its outputs. `build` is called at once; nothing is started.
 * @param name part of the names of the job's own topics: letters, digits, `_` and `-`.
 * Errors: JOB_INVALID with the place, the reason and the way out.
 */
export function defineJob(name: string, build: Build): Job
export function defineJob(name: string, settings: JobSettings, build: Build): Job
export function defineJob(name: string, ...rest: readonly [Build] | readonly [JobSettings, Build]): Job {
  const [settings, build] = rest.length === 1 ? [{}, rest[0]] : rest
  if (typeof name !== 'string' || !/^[a-zA-Z0-9_-]{1,80}$/.test(name)) {
    throw invalid(
      { job: String(name) },
      'the name of a job has 1 to 80 of the characters a-z A-Z 0-9 _ -',
      "write defineJob('orders', (job) => { ... })",
    )
  }
  if (typeof build !== 'function') {
    throw invalid({ job: name }, 'there is no function that builds the job', "write defineJob('orders', (job) => { ... })")
  }
  const graph = new Graph(name, checkPolicy({ job: name }, settings.onBad) ?? 'fail')
  const result: unknown = build(builderOf(graph))
  if (isPromise(result))
    throw invalid({ job: name }, 'the function that builds the job gave a promise', 'make it synchronous: it only names what is to be done')
  return graph.finish()
}

function builderOf(graph: Graph): JobBuilder {
  const from = (topic: Topic<unknown, never>, options?: StepOptions): Step => {
    checkTopic(graph, topic)
    if (topic.kind === 'table') {
      throw invalid(
        { job: graph.job, topic: topic.name },
        'a table is not read as a stream: which of its older records are still there depends on when it is read',
        "read it with job.table(name, topic), or declare the topic with kind: 'stream' (and no compaction)",
      )
    }
    return new Step(graph, graph.source(topic, options?.onBad), plainValues)
  }
  const table = (name: string, topic: Topic<unknown, never>, options: TableOptions = {}) => {
    checkTopic(graph, topic)
    if (topic.kind !== 'table') {
      const fix = "declare the topic with kind: 'table', or make a table of its stream: job.from(topic).keyBy(...).table(name)"
      throw invalid({ job: graph.job, operator: name, topic: topic.name }, 'the topic is a stream', fix)
    }
    graph.checkName('table', name)
    return new Step(graph, graph.source(topic, options.onBad), plainValues).tableOf(name, 'offset', options)
  }
  return { from, table } as unknown as JobBuilder
}

function checkTopic(graph: Graph, topic: Topic<unknown, never> | undefined): void {
  if (typeof topic?.definition === 'object') return
  throw invalid(
    { job: graph.job, given: String(topic) },
    'this is not a topic',
    "declare one: const orders = topic('orders', { value: ... })",
  )
}
