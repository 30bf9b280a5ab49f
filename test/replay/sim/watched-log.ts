import { BlockView, viewsOf } from '../../../engine/block/block-view.ts'
import type { Append, Commit, Log, Producer } from '../../../engine/ports/log.ts'
import { parseJournalRecord } from '../../../engine/runtime/journal-codec.ts'
import { controlEvent } from '../../../replay/control-event.ts'
import { PassThroughLog } from '../../support/pass-through-log.ts'
import type { Taken, VersionMonitor } from './version-monitor.ts'

/** Shows the monitor of a job's versions what each commit carried, when it has taken effect. */
export class WatchedLog extends PassThroughLog {
  private readonly monitor: VersionMonitor

  constructor(inner: Log, monitor: VersionMonitor) {
    super(inner)
    this.monitor = monitor
  }

  override async producer(id: string): Promise<Producer> {
    const producer = await this.inner.producer(id)
    const commit = async (commit: Commit) => {
      const taken = contentOf(id, commit.appends)
      const committed = await producer.commit(commit)
      this.monitor.took(taken)
      return committed
    }
    return { id, epoch: producer.epoch, end: producer.end, commit }
  }
}

/** Read before the log takes the bytes over. */
function contentOf(producer: string, appends: readonly Append[]): Taken {
  const journaled = appends.find(({ topic }) => topic.endsWith('.journal'))
  const decided = appends.find(({ topic }) => topic.endsWith('.control'))
  return {
    producer,
    topics: appends.map(({ topic }) => topic),
    journal: journaled && {
      task: journaled.partition,
      record: parseJournalRecord(firstValue(journaled), { topic: journaled.topic, partition: journaled.partition, offset: -1 }),
    },
    control: decided && controlEvent.parse(JSON.parse(Buffer.from(firstValue(decided)).toString())),
  }
}

function firstValue({ block }: Append): Uint8Array {
  const bytes = Buffer.from(new ArrayBuffer(block.length))
  bytes.set(block)
  return new BlockView({ ...viewsOf(bytes), blocks: [0], release() {} }, 0).value(0)!
}
