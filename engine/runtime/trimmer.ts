import type { Offset } from '../model/record.ts'
import type { Log } from '../ports/log.ts'
import type { JobPlan, TaskPlan } from './plan.ts'
import type { TaskInputs } from './task-inputs.ts'

interface Mark {
  readonly seq: number
  readonly positions: readonly Offset[]
  journalOffset: Offset | undefined
}

/**
 * Lets go of what no kept checkpoint needs: journal and exchange partitions below the second newest one, pins of source partitions.
 * Nothing is trimmed that the older checkpoint's re-run would read.
 */
export class Trimmer {
  private readonly log: Log
  private readonly job: JobPlan
  private readonly plan: TaskPlan
  private readonly inputs: TaskInputs
  private marks: Mark[] = []
  private lastAcknowledged: { seq: number; journalOffset: Offset } | undefined = undefined
  private trimmed = 0

  constructor(log: Log, job: JobPlan, plan: TaskPlan, inputs: TaskInputs) {
    this.log = log
    this.job = job
    this.plan = plan
    this.inputs = inputs
  }

  /** A checkpoint of slice `seq` begins: the task's positions are those after it. */
  cut(seq: number): void {
    const known = this.lastAcknowledged
    this.marks.push({
      seq,
      positions: this.inputs.readings.map(({ feed }) => feed.buffer.position),
      journalOffset: known?.seq === seq ? known.journalOffset : undefined,
    })
  }

  acknowledged(seq: number, journalOffset: Offset): void {
    this.lastAcknowledged = { seq, journalOffset }
    for (const mark of this.marks) if (mark.seq === seq) mark.journalOffset = journalOffset
  }

  async trim(published: { readonly secondNewest: number }): Promise<void> {
    const { secondNewest } = published
    if (secondNewest <= this.trimmed) return
    this.trimmed = secondNewest
    const mark = this.marks.find(({ seq }) => seq === secondNewest)
    this.marks = this.marks.filter(({ seq }) => seq > secondNewest)
    if (mark === undefined) return
    if (mark.journalOffset !== undefined) await this.log.trim(this.job.topics.journal, this.plan.id, mark.journalOffset)
    for (const [input, { plan, pin }] of this.inputs.readings.entries()) {
      const position = mark.positions[input]!
      if (plan.kind === 'exchange') await this.log.trim(plan.topic, plan.partition, position)
      else pin?.move(position)
    }
  }
}
