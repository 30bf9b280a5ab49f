import { StreamError } from '../../errors.ts'
import type { EpochMs, Offset } from '../../model/record.ts'
import type { FileSystem } from '../../ports/file-system.ts'
import type {
  Bounds,
  Commit,
  Committed,
  KeepChange,
  Log,
  LogReader,
  Pin,
  Producer,
  ProducerEnd,
  TopicInfo,
  TopicSpec,
} from '../../ports/log.ts'
import { isNewTopic } from '../topic-spec.ts'
import { failureOf, type LogAnswer, type LogCall, type ThreadLine } from './log-calls.ts'
import { EmbeddedReaderHost, type ReaderHandle } from './reader-host.ts'

interface Waiting {
  resolve(result: never): void
  reject(error: unknown): void
}

/**
 * The embedded log for a thread beside the writer's: it reads the files itself and asks the writer for everything else.
 * What is committed through it, it shows when the commit resolves, as the writer's own thread does.
 */
export class ThreadLog implements Log {
  private readonly host: EmbeddedReaderHost
  private readonly line: ThreadLine
  private readonly waiting = new Map<number, Waiting>()
  private calls = 0
  private numbers = 0
  private readonly hangUp: () => void
  private closed = false

  private constructor(host: EmbeddedReaderHost, line: ThreadLine) {
    this.host = host
    this.line = line
    this.hangUp = line.listen((message) => this.take(message as LogAnswer))
  }

  /** @param fs of the log's directory, for reading only. `line`: to a LogService. */
  static async attach(handle: ReaderHandle, { fs, line }: { fs: FileSystem; line: ThreadLine }): Promise<ThreadLog> {
    return new ThreadLog(await EmbeddedReaderHost.attach(handle, { fs }), line)
  }

  topics(): readonly TopicInfo[] {
    return this.host.topics()
  }

  topic(name: string): TopicInfo | undefined {
    return this.host.topic(name)
  }

  async createTopic(spec: TopicSpec): Promise<TopicInfo> {
    isNewTopic(spec, this.topic(spec.name))
    return this.shown(this.ask<TopicInfo>({ op: 'createTopic', spec }))
  }

  setTopic(name: string, change: KeepChange): Promise<TopicInfo> {
    return this.shown(this.ask<TopicInfo>({ op: 'setTopic', name, change }))
  }

  deleteTopic(name: string): Promise<void> {
    return this.shown(this.ask({ op: 'deleteTopic', name }))
  }

  trim(topic: string, partition: number, before: Offset): Promise<void> {
    return this.shown(this.ask({ op: 'trim', topic, partition, before }))
  }

  /** In force when the writer's thread hears of it: what retention took before, the first read tells. */
  pin(topic: string, partition: number, from: Offset): Pin {
    this.host.bounds(topic, partition)
    const pin = ++this.numbers
    this.tell({ op: 'pin', pin, topic, partition, from })
    return {
      move: (to) => this.tell({ op: 'movePin', pin, from: to }),
      release: () => this.tell({ op: 'releasePin', pin }),
    }
  }

  bounds(topic: string, partition: number): Bounds {
    return this.host.bounds(topic, partition)
  }

  clock(): EpochMs {
    return this.host.clock()
  }

  changed(seen: number, signal?: AbortSignal): Promise<void> {
    return this.host.changed(seen, signal)
  }

  changes(): number {
    return this.host.changes()
  }

  reader(topic: string, partition: number, from: Offset): LogReader {
    return this.host.reader(topic, partition, from)
  }

  async producer(id: string): Promise<Producer> {
    const producer = ++this.numbers
    const { epoch, end } = await this.shown(this.ask<Pick<Producer, 'epoch' | 'end'>>({ op: 'producer', producer, id }))
    const commit = (commit: Commit) => this.shown(this.ask<Committed>({ op: 'commit', producer, commit }))
    return { id, epoch, end, commit }
  }

  producers(): readonly string[] {
    return this.host.producers()
  }

  producerEnd(id: string): ProducerEnd | undefined {
    return this.host.producerEnd(id)
  }

  forgetProducer(id: string, epoch: number): Promise<void> {
    return this.shown(this.ask({ op: 'forgetProducer', id, epoch }))
  }

  /** Takes in what others committed up to this call. @returns whether there was anything. Errors: LOG_CORRUPT. */
  refresh(): Promise<boolean> {
    return this.host.refresh()
  }

  async close(): Promise<void> {
    if (this.closed) return
    this.closed = true
    this.hangUp()
    for (const { reject } of this.waiting.values()) reject(unavailable())
    this.waiting.clear()
    await this.host.close()
  }

  private take(answer: LogAnswer): void {
    if (answer.kind !== 'log') return
    const waiting = this.waiting.get(answer.call)
    if (waiting === undefined) {
      // To what was only told, nobody waits for an answer: a mistake of ours must be loud all the same.
      if ('broken' in answer) throw failureOf(answer)
      return
    }
    this.waiting.delete(answer.call)
    if ('result' in answer) waiting.resolve(answer.result as never)
    else waiting.reject(failureOf(answer))
  }

  private ask<T>(call: LogCall): Promise<T> {
    if (this.closed) return Promise.reject(unavailable())
    return new Promise<T>((resolve, reject) => {
      const number = ++this.calls
      this.waiting.set(number, { resolve, reject })
      this.line.send({ kind: 'log', call: number, ...call })
    })
  }

  private tell(call: LogCall): void {
    if (!this.closed) this.line.send({ kind: 'log', call: ++this.calls, ...call })
  }

  /** What was done is shown here before the caller goes on. */
  private async shown<T>(done: Promise<T>): Promise<T> {
    const result = await done
    await this.refresh()
    return result
  }
}

function unavailable(): StreamError {
  return new StreamError('LOG_UNAVAILABLE', { reason: 'closed' })
}
