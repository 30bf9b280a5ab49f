import type { BlockView } from '../block/block-view.ts'
import type { SourceNode } from '../model/topology.ts'
import type { DecodedRun, RunDecoder } from './decoded-run.ts'
import type { Feed } from './feeds.ts'
import type { InputBuffer } from './input-buffer.ts'
import type { TaskMoment } from './moment.ts'
import { retriedStamp } from './operator.ts'
import type { Present } from './present.ts'
import { headerNames, type Reports } from './reports.ts'
import { sourceDecoder } from './source-decoder.ts'

interface Retried {
  readonly node: SourceNode
  readonly partition: number
  readonly offset: number
  readonly value: unknown
}

/** Dead letters that are tried again: the original bytes, decoded as the topic they came from. */
export function retryDecoder(sources: readonly SourceNode[]): RunDecoder {
  const decoders = new Map(sources.map((node) => [node.topic.name, { node, decode: sourceDecoder(node.topic) }]))
  return (block, first, count) => {
    const run: DecodedRun = {
      block,
      first,
      firstOffset: block.baseOffset + first,
      count,
      values: new Array(count),
      times: new Float64Array(count),
      bad: new Map(),
      taken: 0,
    }
    for (let i = 0; i < count; i++) {
      const origin = originOf(block, first + i)
      const found = decoders.get(origin.topic)
      if (found === undefined) {
        run.bad!.set(i, { code: 'TOPIC_UNKNOWN', path: '$', message: `the job does not read ${origin.topic}` })
        run.times[i] = Number.NEGATIVE_INFINITY
        continue
      }
      const one = found.decode(block, first + i, 1)
      run.values[i] = { node: found.node, partition: origin.partition, offset: origin.offset, value: one.values[0] } satisfies Retried
      run.times[i] = one.times[0]!
      const fault = one.bad?.get(0)
      if (fault !== undefined) run.bad!.set(i, fault)
    }
    return run
  }
}

/** The version's retry topic. It never holds time back; its records are judged as if they had come first, so that only closed windows refuse them. */
export class RetryFeed implements Feed {
  readonly buffer: InputBuffer
  readonly channels: readonly number[] = []
  private readonly fallback: SourceNode
  private readonly ordinals: ReadonlyMap<SourceNode, number>
  private readonly task: { moment: TaskMoment; present: Present; reports: Reports; entries: ReadonlyMap<number, (value: unknown) => void> }

  constructor(buffer: InputBuffer, sources: readonly SourceNode[], allSources: readonly SourceNode[], task: RetryFeed['task']) {
    this.buffer = buffer
    this.fallback = sources[0]!
    this.ordinals = new Map(allSources.map((node, ordinal) => [node, ordinal]))
    this.task = task
  }

  process(run: DecodedRun, i: number): void {
    const { moment, present, reports, entries } = this.task
    const retried = run.values[i] as Retried | undefined
    const node = retried?.node ?? this.fallback
    const appendTime = run.block.appendTimeOf(run.first + i)
    moment.eventTime = run.times[i]!
    moment.stamp = retriedStamp
    moment.appendTime = appendTime
    moment.topic = node.topic.name
    moment.partition = retried?.partition ?? 0
    moment.offset = retried?.offset ?? -1
    moment.atRecord(this.ordinals.get(node)!, run.block, run.first + i)
    present.time = appendTime
    reports.recordBegins()
    const fault = run.bad?.get(i)
    if (fault !== undefined) reports.bad(node.onBad, fault, node.name, undefined)
    else entries.get(node.id)!(retried!.value)
    reports.recordEnds()
  }

  save(): unknown {
    return null
  }

  load(): void {}
}

function originOf(block: BlockView, i: number): { topic: string; partition: number; offset: number } {
  const headers = new Map(block.headers(i).map(({ name, value }) => [name, Buffer.from(value).toString()]))
  return {
    topic: headers.get(headerNames.topic) ?? '',
    partition: Number(headers.get(headerNames.partition) ?? 0),
    offset: Number(headers.get(headerNames.offset) ?? 0),
  }
}
