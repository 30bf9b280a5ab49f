import { assert } from '../assert.ts'
import { BlockView } from '../block/block-view.ts'
import { StreamError } from '../errors.ts'
import type { JournalRecord } from '../model/slice.ts'
import type { Log, ProducerEnd } from '../ports/log.ts'
import type { TaskState } from '../ports/state.ts'
import type { Probe } from '../ports/world.ts'
import { semantics, type Task } from '../task/task.ts'
import { parseJournalRecord } from './journal-codec.ts'
import type { TaskInputs } from './task-inputs.ts'

interface JournalEntry {
  readonly record: JournalRecord
  readonly offset: number
}

/** The journal of a task as far back as it was kept, oldest first. */
export async function readJournal(log: Log, topic: string, partition: number): Promise<JournalEntry[]> {
  const { start, end } = log.bounds(topic, partition)
  const reader = log.reader(topic, partition, start)
  const entries: JournalEntry[] = []
  // Blocks that were joined between two reads may begin with what was read before.
  let next = start
  try {
    while (reader.position < end) {
      const chunk = await reader.read(1 << 20)
      if (chunk === null) break
      for (const at of chunk.blocks) {
        const block = new BlockView(chunk, at)
        for (let i = 0; i < block.count; i++) {
          const offset = block.baseOffset + i
          if (offset < next) continue
          entries.push({ record: parseJournalRecord(block.value(i), { topic, partition, offset }), offset })
          next = offset + 1
        }
      }
      chunk.release()
    }
  } finally {
    await reader.close()
  }
  return entries
}

/**
 * Finds the newest checkpoint that the journal confirms.
 * @returns where it stands and what the journal has after it.
 * Errors: LOG_CORRUPT (a checkpoint ahead of the journal, a journal that does not end where the log says), CHECKPOINT_MISSING.
 */
export async function restorePoint(state: TaskState, journal: readonly JournalEntry[], end: ProducerEnd, where: object) {
  const last = journal.at(-1)?.record
  if (end.seq > 0 && (last === undefined || last.slice.seq !== end.seq || last.hash !== end.hash)) {
    throw new StreamError('LOG_CORRUPT', {
      ...where,
      reason: `the journal ends at slice ${last?.slice.seq ?? 0}, the log knows of slice ${end.seq}`,
    })
  }
  const hashes = new Map(journal.map(({ record }) => [record.slice.seq, record.hash]))
  const point = await state.restore(({ seq, hash }) => {
    if (seq > end.seq)
      throw new StreamError(
        'LOG_CORRUPT',
        { ...where, reason: `a checkpoint of slice ${seq} is ahead of the journal's end ${end.seq}: acknowledged data is gone` },
        { fix: 'restore the data directory, all of it, from a backup; or take the input in again in a new one' },
      )
    return hashes.get(seq) === hash
  })
  const after = journal.filter(({ record }) => record.slice.seq > (point?.seq ?? 0))
  const first = after[0]?.record.slice.seq ?? end.seq + 1
  if (first !== (point?.seq ?? 0) + 1) {
    throw new StreamError(
      'CHECKPOINT_MISSING',
      { ...where, checkpoint: point?.seq ?? 0, journalFrom: first },
      { fix: 'rebuild the job as a new version: it replays from the beginning' },
    )
  }
  return { point, after }
}

/** Runs journaled slices again, outputs muted, and compares: what was read, what came out. */
export async function rerun(task: Task, inputs: TaskInputs, journal: readonly JournalEntry[], probe: Probe, where: object): Promise<void> {
  for (const { record } of journal) {
    const { slice } = record
    for (const range of slice.ranges) await inputs.readTo(range.input, range.to)
    const { journal: again, blocks } = task.run(slice, record.control)
    task.recycle(blocks)
    const place = {
      ...where,
      slice: slice.seq,
      ranges: slice.ranges.map((range) => ({
        ...inputs.readings[range.input]!.plan,
        node: undefined,
        exchange: undefined,
        sources: undefined,
        ...range,
      })),
    }
    record.input.forEach((input, i) => {
      if (again.input[i]!.digest !== input.digest || again.input[i]!.count !== input.count) {
        throw new StreamError('INPUT_CHANGED', { ...place, journaled: input, read: again.input[i] })
      }
    })
    if (
      again.output.digest !== record.output.digest ||
      again.output.count !== record.output.count ||
      again.watermark !== record.watermark
    ) {
      throw new StreamError(
        'JOB_NOT_DETERMINISTIC',
        {
          ...place,
          journaled: record.output,
          again: again.output,
          semantics: { journaled: record.semantics, now: semantics },
          node: { journaled: record.node, now: process.version },
        },
        {
          fix: 'find what the job takes from outside its input (module state, iteration order, a changed dependency); docs/errors/JOB_NOT_DETERMINISTIC.md',
        },
      )
    }
    // What the chain hashes beside the digests (totals, semantics) may differ after an upgrade; what was committed stands.
    task.hash = record.hash
    assert(task.due === record.due, 'a re-run slice left other work due')
    probe.at('recover.rerun')
  }
}
