import { codeOf } from '../../engine/errors.ts'
import { NodeFileSystem } from '../../engine/log/embedded/node-file-system.ts'
import type { Offset } from '../../engine/model/record.ts'
import type { Log } from '../../engine/ports/log.ts'
import { jobTopics, partitionsOfTask } from '../../engine/runtime/plan.ts'
import { readJournal } from '../../engine/runtime/recover.ts'
import { type Positions, partitionName } from '../../engine/runtime/steering.ts'
import type { TaskCursor } from '../../engine/task/task.ts'
import type { VersionState } from '../../replay/control-state.ts'
import { DirectoryCheckpointStore } from '../../state/directory-checkpoint-store.ts'
import { newestCursor } from '../../state/newest-cursor.ts'
import { checkpointsOf } from '../open-state.ts'
import type { InspectedJob } from './inspected-job.ts'

/**
 * Where a version without a thread stands, from what its tasks left behind: the newest checkpoint of each, and its journal, which goes on from
 * there. A task that has left nothing stands where the version begins. Source topics that are not there yet have no partitions.
 * Errors: LOG_CORRUPT, LOG_FORMAT_UNKNOWN.
 */
export async function leftPositions(
  log: Log,
  directory: string,
  { job, sources, stages }: Pick<InspectedJob, 'job' | 'sources' | 'stages'>,
  { version, parallelism, starts }: Pick<VersionState, 'version' | 'parallelism' | 'starts'>,
): Promise<Positions> {
  const positions = new Map<string, Offset>()
  const { journal } = jobTopics(job, version)
  const stageOf = (topic: string) => (parallelism === 1 ? 0 : stages![topic]!)
  for (const stage of new Set(sources.map(({ name }) => stageOf(name)))) {
    for (let index = 0; index < parallelism; index++) {
      const inputs = sources
        .filter(({ name }) => stageOf(name) === stage)
        .flatMap(({ name }) =>
          partitionsOfTask(index, parallelism, log.topic(name)?.partitions ?? 0).map((one) => partitionName(name, one)),
        )
      if (inputs.length === 0) continue
      const task = stage * parallelism + index
      const reached = await checkpointed(checkpointsOf(directory, job, version, task))
      const entries = log.topic(journal) === undefined ? [] : await readJournal(log, journal, task)
      for (const { record } of entries) for (const { input, to } of record.slice.ranges) reached[input] = Math.max(to, reached[input] ?? 0)
      inputs.forEach((name, input) => positions.set(name, reached[input] ?? starts[name] ?? 0))
    }
  }
  return positions
}

/** By input of the task. */
async function checkpointed(directory: string): Promise<Offset[]> {
  const files = new DirectoryCheckpointStore(new NodeFileSystem(directory))
  const cursor = await newestCursor(files).catch((error: unknown) => {
    // It never came as far as to make its directory.
    if (codeOf(error) === 'FILE_UNREADABLE') return undefined
    throw error
  })
  return [...((cursor as TaskCursor | undefined)?.positions ?? [])]
}
