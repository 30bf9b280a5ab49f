import type { Log } from '../../engine/ports/log.ts'
import { tasksPrefix } from '../../engine/runtime/plan.ts'
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
  // Each by its name: of a clean that was interrupted the first are gone already.
  for (const id of log.producers().filter((one) => one.startsWith(tasksPrefix(job, version)))) {
    const { epoch } = await log.producer(id)
    await log.forgetProducer(id, epoch)
  }
  point('retire.removed')
}
