import type { BadRecordPolicy, Topology } from '../engine/model/topology.ts'
import { StreamError } from '../engine/errors.ts'
import { Graph } from './graph.ts'
import { Stream } from './stream.ts'
import type { Topic } from './topic.ts'

export interface JobSettings {
  /** What becomes of records that can't be processed, where nothing else is said. Default `fail`. */
  readonly onBad?: BadRecordPolicy
}

export interface SourceOptions {
  readonly onBad?: BadRecordPolicy
  /** Needed only when a topic is read twice. */
  readonly name?: string
}

/** What a job's author describes the job with. */
export interface JobBuilder {
  /** The records of a topic. */
  from<T>(topic: Topic<T, never>, options?: SourceOptions): Stream<T>
}

/** A described job: data and functions, nothing started. */
export type Job = Topology

/** Describes a job; runs nothing. The name is part of its topics' names. Errors: JOB_INVALID, which names the place and the way out. */
export function defineJob(name: string, build: (job: JobBuilder) => void): Job
export function defineJob(name: string, settings: JobSettings, build: (job: JobBuilder) => void): Job
export function defineJob(name: string, settingsOrBuild: JobSettings | ((job: JobBuilder) => void), maybeBuild?: (job: JobBuilder) => void): Job {
  const [settings, build] = typeof settingsOrBuild === 'function' ? [{}, settingsOrBuild] : [settingsOrBuild, maybeBuild!]
  if (!/^[a-z][a-z0-9-]{0,99}$/.test(name)) {
    throw new StreamError('JOB_INVALID', { job: name, reason: 'the name is not allowed' }, { fix: 'use lower-case letters, digits and dashes, beginning with a letter' })
  }
  const graph = new Graph(name, settings.onBad ?? 'fail')
  build({
    from(topic, options = {}) {
      const { definition } = topic
      const id = graph.add({ kind: 'source', name: options.name ?? `from-${definition.name}`.slice(0, 64).replaceAll('.', '-'), detail: definition.kind, topic: definition, onBad: options.onBad })
      return new Stream({ graph, id, retracts: false })
    },
  })
  graph.check()
  return { job: name, nodes: graph.nodes }
}
