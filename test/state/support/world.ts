import type { CheckpointStore, SpillStore } from '../../../engine/ports/checkpoint-store.ts'
import type { RestorePoint, TaskState } from '../../../engine/ports/state.ts'
import { type Labels, type Metrics, noMetrics, noProbe, type Probe, silentLogger } from '../../../engine/ports/world.ts'
import { MemoryCheckpointStore } from '../../../state/memory-checkpoint-store.ts'
import { openTaskState } from '../../../state/task-state.ts'
import { TickClock } from './tick-clock.ts'

/** What outlives a task's process. */
export interface TestWorld {
  readonly checkpoints: CheckpointStore
  readonly spill?: SpillStore
  readonly memoryBytesMax?: number
  readonly probe?: Probe
  readonly fingerprint?: string
  readonly metrics?: Metrics
}

export const task = { job: 'orders', version: 1, task: 0, fingerprint: 'f', semantics: 1 }

export function open(world: TestWorld): TaskState {
  return openTaskState({
    task: { ...task, fingerprint: world.fingerprint ?? task.fingerprint },
    checkpoints: world.checkpoints,
    spill: world.spill ?? null,
    settings: { memoryBytesMax: world.memoryBytesMax ?? 1 << 28, mergeBytesMin: 0 },
    clock: new TickClock(),
    logger: silentLogger,
    metrics: world.metrics ?? noMetrics,
    probe: world.probe ?? noProbe,
  })
}

export async function restored(world: TestWorld): Promise<{ state: TaskState; point: RestorePoint | null }> {
  const state = open(world)
  return { state, point: await state.restore(() => true) }
}

export function pointAt(seq: number): RestorePoint {
  return { seq, hash: `h${seq}`, cursor: { seq } }
}

/** Counts what is added, by name and the last label's value. */
export function countingMetrics(): { counts: Record<string, number>; metrics: Metrics } {
  const counts: Record<string, number> = {}
  const add = (name: string, labels: Labels, by: number) => {
    const series = `${name} ${Object.values(labels).at(-1)}`
    counts[series] = (counts[series] ?? 0) + by
  }
  return { counts, metrics: { ...noMetrics, add } }
}

/** A checkpoint of slice `seq`, published. */
export async function checkpoint(state: TaskState, seq: number): Promise<void> {
  state.cut(pointAt(seq))
  state.acknowledged(seq)
  await state.settled()
}

export const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))

export function memoryWorld(): TestWorld & { readonly checkpoints: MemoryCheckpointStore } {
  return { checkpoints: new MemoryCheckpointStore() }
}
