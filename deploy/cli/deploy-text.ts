import type { VersionView } from '../server/views.ts'
import { bytesText } from './size-text.ts'
import { duration } from './status-text.ts'
import { takingOver } from './ways-out.ts'

export interface Plan {
  readonly job: string
  readonly active: number | null
  readonly next: number
  readonly changes: readonly { readonly change: string; readonly what: string; readonly name: string; readonly detail: string }[]
  readonly schemaBreaks: readonly string[]
  readonly seam: readonly string[]
  readonly changedWindows: readonly string[]
  readonly startsAt: Readonly<Record<string, string>>
  readonly recordsToReplay: number
  readonly estimateSeconds: number | null
  readonly estimateRecordsPerSecond: number | null
  readonly estimateShownBy: number | null
  readonly estimateAtLeast: boolean
  readonly diskBytes: number | null
  readonly diskFreeBytes: number
  readonly already: Pick<VersionView, 'version' | 'role' | 'health'> | null
}

/** `already`: it was there before. */
export type Deployed = VersionView & { readonly already: boolean }

export function planText({
  job,
  active,
  next,
  changes,
  schemaBreaks,
  seam,
  changedWindows,
  startsAt,
  recordsToReplay,
  already,
  ...estimate
}: Plan): string {
  if (already !== null) return `Plan for job ${job}   nothing new: ${isAlready(already)}\n`
  const marks: Record<string, string> = { added: '+', removed: '-', changed: '~', same: '=' }
  const lines = [`Plan for job ${job}   ${active === null ? 'first version' : `v${active} (active) → v${next}`}`]
  const width = Math.max(0, ...changes.map(({ name }) => name.length))
  for (const { change, what, name, detail } of changes) lines.push(`  ${marks[change]} ${what.padEnd(9)} ${name.padEnd(width)}  ${detail}`)
  if (active !== null && changes.every(({ change }) => change === 'same'))
    lines.push('  ~ code      operators, stores and topics are the same; what their functions do may differ')
  for (const text of schemaBreaks) lines.push(`  ! schema    ${text}`)
  for (const text of seam) lines.push(`  ! seam      ${text}: windows open at the switch are as one of the versions saw them`)
  for (const text of changedWindows) lines.push(`  ~ windows   ${text}: the switch waits for a common end of both`)
  const starts = Object.entries(startsAt).map(([name, at]) => `${name}@${at}`)
  const from = starts.length === 0 ? '' : ` from ${starts.join(', ')}`
  lines.push(`  replay     ${recordsToReplay.toLocaleString('en-US')} records${from}`)
  lines.push(`  estimate   ${estimateText(estimate)}`)
  return `${lines.join('\n')}\n`
}

type Estimate = Pick<
  Plan,
  'estimateSeconds' | 'estimateRecordsPerSecond' | 'estimateShownBy' | 'estimateAtLeast' | 'diskBytes' | 'diskFreeBytes'
>

function estimateText({
  estimateSeconds,
  estimateRecordsPerSecond,
  estimateShownBy,
  estimateAtLeast,
  diskBytes,
  diskFreeBytes,
}: Estimate): string {
  const pace = `${Math.round(estimateRecordsPerSecond ?? 0).toLocaleString('en-US')} records/s`
  const replayed = estimateAtLeast ? `operators of v${estimateShownBy} alone` : `as fast as v${estimateShownBy} was`
  const by = estimateShownBy === null ? 'as --rate says' : replayed
  const time =
    estimateSeconds === null
      ? 'time not known'
      : `${estimateAtLeast ? 'at least' : 'about'} ${duration(estimateSeconds)} at ${pace} (${by})`
  const disk = diskBytes === null ? 'disk not known' : `about ${bytesText(diskBytes)} of outputs`
  return `${time}; ${disk}, ${bytesText(diskFreeBytes)} free`
}

function isAlready({ version, role, health }: Pick<VersionView, 'version' | 'role' | 'health'>): string {
  return `this is already v${version} (${role}, ${health})`
}

export function deployedText(deployed: Deployed): string {
  const { job, version, role, health, promote } = deployed
  if (deployed.already) {
    const next = health === 'running' ? `look: reprise status ${job}` : `go on: reprise resume ${job} v${version}`
    const byItself = promote === 'auto' && role === 'candidate' ? ' It takes over by itself.' : ''
    return `${job}: ${isAlready(deployed)}; no other was made.${byItself}\n${next}\nanew: reprise replay ${job} v${version}\n`
  }
  if (role === 'active') return `${job} v${version} publishes.\nwatch: reprise status ${job} --watch\n`
  return `${job} v${version} replays beside the version that publishes.\nwatch:   reprise status ${job} --watch\npromote: ${takingOver(deployed, 'promote')}\n`
}
