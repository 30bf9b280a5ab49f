import type { Clock } from '../../engine/ports/world.ts'
import { noMetrics, noProbe, silentLogger } from '../../engine/ports/world.ts'
import { MemoryCheckpointStore } from '../../state/memory-checkpoint-store.ts'
import { openTaskState } from '../../state/task-state.ts'

/** State in memory of the first task of a job. */
export function stateInMemory(job: string, clock: Clock) {
  return openTaskState({
    task: { job, version: 1, task: 0, fingerprint: '', semantics: 1 },
    checkpoints: new MemoryCheckpointStore(),
    spill: null,
    settings: { memoryBytesMax: 1 << 20 },
    clock,
    logger: silentLogger,
    metrics: noMetrics,
    probe: noProbe,
  })
}
