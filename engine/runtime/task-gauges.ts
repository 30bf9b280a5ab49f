import type { EpochMs } from '../model/record.ts'
import type { TaskState } from '../ports/state.ts'
import { partitionLabel } from './partition-label.ts'
import { partitionName } from './steering.ts'
import type { VersionGauges } from './version-gauges.ts'

/** What is seen of a task at one look. */
export interface TaskLook {
  readonly watermark: EpochMs
  /** See SliceMetrics. */
  readonly lastRecordAt: EpochMs | undefined
  readonly state: Pick<TaskState, 'published' | 'sizes'>
  readonly sources: readonly { readonly topic: string; readonly partition: number; readonly idle: boolean }[]
  /** Source partitions of the whole version. */
  readonly partitions: number
}

/** Tells the gauges of its version what one task looks like. For once a second. */
export function tellGauges(gauges: VersionGauges, task: number, { watermark, lastRecordAt, state, sources, partitions }: TaskLook): void {
  if (Number.isFinite(watermark)) gauges.tell(task, 'reprise_watermark_timestamp_seconds', watermark / 1000, 'lowest')
  if (lastRecordAt !== undefined) gauges.tell(task, 'reprise_last_record_processed_timestamp_seconds', lastRecordAt / 1000, 'highest')
  const { newest, at, bytes } = state.published
  if (newest > 0) {
    gauges.tell(task, 'reprise_checkpoint_last_success_timestamp_seconds', at / 1000, 'lowest')
    gauges.tell(task, 'reprise_checkpoint_size_bytes', bytes, 'sum')
  }
  for (const { store, keys, bytes: size } of state.sizes()) {
    gauges.tell(task, 'reprise_state_keys', keys, 'sum', { store })
    gauges.tell(task, 'reprise_state_size_bytes', size, 'sum', { store })
  }
  for (const { topic, partition, idle } of sources) {
    const label = partitionLabel(partition, partitions, 'max')
    gauges.tell(partitionName(topic, partition), 'reprise_partition_idle', idle ? 1 : 0, 'highest', { topic, partition: label })
  }
}
