/** What a job file imports: the job builder, windows, aggregators and codecs. */

export { type BadRecord, bytes, type Codec, type JsonCodec, json, string } from './engine/codec/codecs.ts'
export type { ErrorCode } from './engine/errors.ts'
export { StreamError } from './engine/errors.ts'
export type { EpochMs, Key } from './engine/model/record.ts'
export type { BadRecordPolicy, RecordInfo, Topology } from './engine/model/topology.ts'
export { type Aggregator, aggregator, type CustomAggregator, reduce } from './operators/aggregates/aggregator.ts'
export { avg } from './operators/aggregates/avg.ts'
export { count } from './operators/aggregates/count.ts'
export { max, min } from './operators/aggregates/extremes.ts'
export { sum } from './operators/aggregates/sum.ts'
export { defineJob, type Job, type JobBuilder, type JobSettings } from './operators/define-job.ts'
export type { Duration } from './operators/duration.ts'
export {
  type OutputType,
  output,
  type ProcessContext,
  type ProcessDefinition,
  type ProcessResults,
  type Timer,
  type TimerOptions,
} from './operators/process/definition.ts'
export { type MapState, map, type StateOptions, type ValueState, value } from './operators/process/state-spec.ts'
export type { AnyStream, KeyedStream, StepOptions, Stream, Table, TableOptions, WindowedStream, WindowResults } from './operators/stream.ts'
export { type Topic, type TopicOptions, topic } from './operators/topic.ts'
export { session, sliding, tumbling, type WindowInfo, type WindowOptions } from './operators/windows/spec.ts'
