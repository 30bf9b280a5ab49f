import type { JobView, VersionView } from '../server/views.ts'
import { onOneLine } from './record-fields.ts'

/** Why a version is paused or stopped: with its code once, which the reason may begin with. */
export function whyOf({ code, reason }: VersionView): string {
  const text = reason === null ? null : onOneLine(reason)
  if (code === null || text?.startsWith(`${code}: `)) return text ?? 'no reason was given'
  return `${code}${text === null ? '' : `: ${text}`}`
}

/** What can be done while the version that publishes does not: only what would not be refused. */
export function waysOut({ versions, standby, cutOver }: JobView, active: VersionView): string[] {
  if (active.health === 'paused') return goingOn(active)
  if (cutOver !== null) return [...goingOn(active), cutOver.endedBy]
  const candidates = versions.filter(({ role, health }) => role === 'candidate' && health === 'running')
  const back = versions.find(({ version, health }) => version === standby && health === 'running')
  return [
    ...goingOn(active),
    ...(back === undefined ? [] : [takingOver(back, 'rollback')]),
    ...candidates.map((candidate) => takingOver(candidate, 'promote')),
    ...(candidates.length === 0 ? ['deploy a version that can go on'] : []),
  ]
}

/** What to do about a candidate. @param blocking the first of its gates that is not met. */
export function nextSteps({ job, cutOver }: JobView, view: VersionView, blocking: string | undefined): string[] {
  const { version, health, phase, progress, promote } = view
  const take = switchTo(view, 'promote')
  const abort = `reprise abort ${job} v${version}`
  if (health === 'stopped') return [...goingOn(view), 'mend the job and deploy it', abort]
  if (health === 'paused') return goingOn(view)
  // Any other switch is refused meanwhile.
  if (cutOver !== null && (phase === 'caught-up' || progress?.eta.state === 'never')) return [cutOver.endedBy]
  if (phase === 'caught-up') return [`${promote === 'auto' ? 'at once: ' : ''}${take}`]
  if (progress?.eta.state === 'never') return [`reprise rate ${job} max v${version}`, `${take} --force`, abort]
  return [`reprise wait ${job} v${version}${blocking === undefined ? '' : `   (for "${blocking}")`}`]
}

/** By which a version takes over: it is refused while that one does not run, or is behind. */
export function takingOver(view: VersionView, verb: Verb): string {
  const { job, version, health, phase } = view
  const resume = health === 'running' ? [] : [`reprise resume ${job} v${version}`]
  const wait = health === 'running' && phase === 'caught-up' ? [] : [`reprise wait ${job} v${version}`]
  return [...resume, ...wait, switchTo(view, verb)].join(' && ')
}

type Verb = 'promote' | 'rollback'

/** Where no switch is exact it is refused without the flag; who is asked for a yes is shown the seam first. */
function switchTo({ job, version, seam }: VersionView, verb: Verb): string {
  return `reprise ${verb} ${job} v${version}${seam.length > 0 ? ' --allow-seam' : ''}`
}

/** How one that does not run goes on by itself. */
export function goingOn(view: VersionView): string[] {
  return [`reprise resume ${view.job} v${view.version}`, ...skipping(view)]
}

/** Where it stopped at a record that it has not taken since. */
function skipping({ job, version, record, partitions }: VersionView): string[] {
  if (record === null) return []
  const { topic, partition, offset } = record
  const at = partitions.find((one) => one.topic === topic && one.partition === partition)?.current
  return at !== undefined && Number(at) > Number(offset) ? [] : [`reprise skip ${job} ${topic}/${partition}@${offset} v${version}`]
}
