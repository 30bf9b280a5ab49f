import type { Log } from '../../engine/ports/log.ts'
import { taskName } from '../../engine/runtime/plan.ts'
import type { ControlProbePoint } from '../../replay/probe-points.ts'
import { removeStateOf } from '../open-state.ts'

/** Removes everything a version had: its own topics, its producers, its state. Its bundle and what was decided about it stay. Done again it does nothing. */
export async function cleanVersion(
  log: Log,
  directory: string,
  job: string,
  version: number,
  point: (name: ControlProbePoint) => void,
): Promise<void> {
  const own = `${job}.v${version}.`
  for (const { name } of log.topics()) if (name.startsWith(own)) await log.deleteTopic(name)
  point('retire.topics-deleted')
  // BEFORE its producers: a checkpoint that the log does not reach is a sign of damage.
  await removeStateOf(directory, job, version)
  for (let task = 0; log.producerEnd(taskName(job, version, task)) !== undefined; task++) {
    const { id, epoch } = await log.producer(taskName(job, version, task))
    await log.forgetProducer(id, epoch)
  }
  point('retire.removed')
}
