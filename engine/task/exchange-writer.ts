import { assert } from '../assert.ts'
import type { BlockBuilder } from '../block/block-builder.ts'
import { ByteSink } from '../block/byte-sink.ts'
import { partitionOf } from '../log/partitioner.ts'
import type { EpochMs } from '../model/record.ts'
import { type Budget, costOf } from './budget.ts'
import { writeExchangeRecord, writeExchangeWatermark } from './exchange-codec.ts'
import { writeKey } from './key-bytes.ts'
import type { Moment } from './operator.ts'

/**
 * Hands re-keyed records to the tasks of the next stage, by key, and tells each of them how far this task has come: after the records that
 * the watermark covers, in the same commit.
 */
export class ExchangeWriter {
  private readonly builders: readonly BlockBuilder[]
  private readonly moment: Moment
  private readonly task: number
  private readonly budget: Budget
  private readonly scratch = new ByteSink(256)
  private told: { watermark: EpochMs; processing: EpochMs; idle: boolean } | undefined = undefined

  constructor(builders: readonly BlockBuilder[], moment: Moment, task: number, budget: Budget) {
    this.builders = builders
    this.moment = moment
    this.task = task
    this.budget = budget
  }

  get toldIdle(): boolean | undefined {
    return this.told?.idle
  }

  write(value: unknown): void {
    const { key } = this.moment
    assert(key !== undefined, 'a re-keyed record without a key')
    this.scratch.reset()
    writeKey(key, this.scratch)
    const builder = this.builders[partitionOf(this.scratch.buf, 0, this.scratch.at, this.builders.length)]!
    writeExchangeRecord(builder, this.moment, value)
    this.budget.left -= costOf(builder.lastBytes)
  }

  /** Tells all tasks of the next stage, when something changed. */
  advance(watermark: EpochMs, processing: EpochMs, idle: boolean): void {
    const { told } = this
    if (told !== undefined && told.watermark === watermark && told.processing === processing && told.idle === idle) return
    this.told = { watermark, processing, idle }
    for (const builder of this.builders) writeExchangeWatermark(builder, { task: this.task, watermark, processing, idle })
  }

  save(): unknown {
    return this.told
  }

  load(saved: unknown): void {
    this.told = saved as typeof this.told
  }
}
