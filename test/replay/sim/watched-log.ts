import type { Append, Commit, Log, Producer } from '../../../engine/ports/log.ts'
import { controlEvent } from '../../../replay/control-event.ts'
import { firstValue, journalOf } from '../../sim/commit-content.ts'
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
  const decided = appends.find(({ topic }) => topic.endsWith('.control'))
  return {
    producer,
    topics: appends.map(({ topic }) => topic),
    journal: journalOf(appends),
    control: decided && controlEvent.parse(JSON.parse(Buffer.from(firstValue(decided)).toString())),
  }
}
