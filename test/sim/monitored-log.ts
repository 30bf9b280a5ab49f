import type { Commit, Log, Producer } from '../../engine/ports/log.ts'
import { readJournal } from '../../engine/runtime/recover.ts'
import { PassThroughLog } from '../support/pass-through-log.ts'
import { journalOf } from './commit-content.ts'
import type { JournalMonitor } from './journal-monitor.ts'

/** Shows the monitor each journal record: when its commit has taken effect, or, where nobody lived to be told, when its task is opened again. */
export class MonitoredLog extends PassThroughLog {
  private readonly monitor: JournalMonitor

  constructor(inner: Log, monitor: JournalMonitor) {
    super(inner)
    this.monitor = monitor
  }

  override async producer(id: string): Promise<Producer> {
    const producer = await this.inner.producer(id)
    this.monitor.opened(id, producer.end)
    const topic = this.monitor.plan?.topics.journal
    const task = /\.task-(\d+)$/.exec(id)?.[1]
    if (topic !== undefined && task !== undefined && this.inner.topic(topic) !== undefined) {
      for (const { record } of await readJournal(this.inner, topic, Number(task))) this.monitor.took(Number(task), record, this.inner)
    }
    const commit = async (commit: Commit) => {
      const journaled = journalOf(commit.appends)
      const committed = await producer.commit(commit)
      if (journaled !== undefined) this.monitor.took(journaled.task, journaled.record, this.inner)
      return committed
    }
    return { id, epoch: producer.epoch, end: producer.end, commit }
  }
}
