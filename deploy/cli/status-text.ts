import type { CutOverView, JobView, VersionView } from '../server/views.ts'
import { byteRate } from './rate-flag.ts'
import { wrapped } from './screen.ts'
import type { Paint } from './terminal.ts'
import { table } from './verb.ts'
import { goingOn, nextSteps, takingOver, waysOut, whyOf } from './ways-out.ts'

const barWidth = 26

export type PartitionOfVersion = VersionView['partitions'][number] & { readonly version: number }

/** How it is shown. */
export interface Screen {
  readonly paint: Paint
  /** Infinite where nothing has to fit. */
  readonly columns: number
}

/** What a person sees of a job: who publishes, what replays, and what stands in the way, with the command that resolves it. */
export function statusText(job: JobView, screen: Screen): string {
  const active = job.versions.find(({ version }) => version === job.active)
  const lines: string[] = []
  if (active !== undefined) lines.push(...activeLines(job, active, screen))
  if (job.cutOver !== null) lines.push(...cutOverLines(job.cutOver, screen))
  const others = job.versions.filter(({ role }) => role === 'candidate' || role === 'standby')
  for (const version of others.filter(({ role }) => role === 'standby')) lines.push(standbyLine(job, version, screen))
  for (const version of others.filter(({ role }) => role === 'candidate')) lines.push('', ...candidateLines(job, version, screen))
  const partitions = [active, ...others].flatMap((version) =>
    version === undefined ? [] : version.partitions.map((one) => ({ version: version.version, ...one })),
  )
  if (partitions.length > 0) {
    const most = (version: number) => Math.max(...partitions.filter((one) => one.version === version).map(({ lag }) => Number(lag)))
    const rows = partitions.map((one) => [
      ...partitionCells(one),
      Number(one.lag) > 0 && Number(one.lag) === most(one.version) ? '← slowest' : '',
    ])
    lines.push('', table([['VERSION', 'TOPIC', 'P', 'CURRENT-OFFSET', 'LOG-END-OFFSET', 'LAG', 'TIME-LAG', ''], ...rows]).trimEnd())
  }
  return `${lines.join('\n')}\n`
}

/** VERSION, TOPIC, PARTITION, CURRENT-OFFSET, LOG-END-OFFSET, LAG, TIME-LAG. */
export function partitionCells({ version, topic, partition, current, end, lag, lagSeconds }: PartitionOfVersion): string[] {
  return [`v${version}`, topic, String(partition), grouped(current), grouped(end), grouped(lag), duration(lagSeconds)]
}

/** One line, for pipes and logs. */
export function statusLine({ job, version, role, phase, health, progress, lag }: VersionView, cutOver: CutOverView | null): string {
  const state = health === 'running' ? (role === 'candidate' ? (phase ?? role) : role) : health
  const parts = [job, `v${version}`, state]
  if (progress !== null) {
    parts.push(`${(progress.ratio * 100).toFixed(1)}%`, `${progress.done}/${progress.target}`)
    parts.push(`rate=${rate(progress.recordsPerSecond)}`, `head=${rate(progress.headPerSecond)}`)
  }
  if (lag !== null) parts.push(`lag_max=${lag.records}${lag.partition === null ? '' : `(${lag.partition})`}`)
  if (progress !== null && role !== 'active')
    parts.push(`eta=${progress.eta.state === 'estimated' ? `${Math.ceil(progress.eta.seconds!)}s` : progress.eta.state}`)
  if (cutOver?.to === version) parts.push(`cut_over=${cutOver.waitsFor}`, `until=${cutOver.waitsUntil ?? '?'}`)
  return `${parts.join(' ')}\n`
}

function cutOverLines({ from, to, attempt, waitsFor, waitsSince, waitsUntil, changedWindows, endedBy }: CutOverView, { columns }: Screen) {
  const until = waitsUntil === null ? '' : `, until ${clockTime(waitsUntil)} at most`
  const tries = attempt === 1 ? '' : ` (attempt ${attempt})`
  const text = `v${from} → v${to}${tries} waits for ${waitText[waitsFor]} since ${clockTime(waitsSince)}${until}`
  const apart = waitsFor === 'common-end' ? changedWindows.filter(({ now }) => !now) : []
  return [
    wrapped('cut-over  ', text.split(' '), ' ', columns),
    ...apart.map(({ what, next }) =>
      wrapped('  windows  ', `${what}${next === null ? '' : `, next at ${clockTime(next)} of their time`}`.split(' '), ' ', columns),
    ),
    wrapped('  end it   ', [endedBy], ' ', columns),
  ]
}

const waitText: Readonly<Record<CutOverView['waitsFor'], string>> = {
  'common-end': 'a common end of windows',
  turn: 'another decision',
  hold: 'both versions to stand still at one record',
  'next-attempt': 'its next attempt',
}

function activeLines(job: JobView, active: VersionView, { paint, columns }: Screen): string[] {
  const { version, health, lag, progress } = active
  const state = health === 'running' ? paint('green', 'healthy') : paint('red', health)
  const parts = [
    paint('bold', job.job),
    `${paint('bold', `ACTIVE v${version}`)} · ${state}`,
    ...(lag === null ? [] : [`lag ${grouped(lag.records)} records, ${duration(lag.seconds)}`]),
    ...(progress?.recordsPerSecond == null ? [] : [`${rate(progress.recordsPerSecond)} in`]),
  ]
  const head = wrapped('', parts, '   ', columns)
  if (health === 'running') return [head]
  const why = wrapped('  why      ', whyOf(active).split(' '), ' ', columns)
  return [head, why, wrapped('  options  ', waysOut(job, active), ' · ', columns)]
}

/** The one that a rollback leads to, or one that published before that one. */
function standbyLine({ standby: wayBack, cutOver }: JobView, standby: VersionView, { columns }: Screen): string {
  const { version, health } = standby
  const back = version === wayBack
  const what = back ? 'the way back' : 'one to promote'
  const head = `standby v${version}   `
  if (health === 'running' && cutOver !== null) return `${head}${what}`
  if (health === 'running') return wrapped(head, [`${what}:`, takingOver(standby, back ? 'rollback' : 'promote')], ' ', columns)
  return [
    `${head}${health}; once it runs it is ${what}`,
    wrapped('  why      ', whyOf(standby).split(' '), ' ', columns),
    wrapped('  options  ', goingOn(standby), ' · ', columns),
  ].join('\n')
}

function candidateLines(job: JobView, version: VersionView, { paint, columns }: Screen): string[] {
  const { progress, gates } = version
  const blocking = gates.find(({ pass }) => !pass)
  const words = [`${paint('bold', `v${version.version}`)} `, ...situation(job, version, blocking?.name, paint).split(' ')]
  const lines = [wrapped('candidate ', words, ' ', columns)]
  if (progress !== null && version.phase === 'replaying') {
    const filled = Math.round(progress.ratio * barWidth)
    const rates = [
      rate(progress.recordsPerSecond),
      `head +${rate(progress.headPerSecond)}`,
      `net ${rate(progress.netPerSecond)}`,
      ...limits(version, job.active),
    ]
    lines.push(
      '',
      `  replay   ${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)}  ${(progress.ratio * 100).toFixed(1)}%   ${grouped(progress.done)} / ${grouped(progress.target)}`,
      wrapped('  rate     ', rates, '   ', columns),
      wrapped('  eta      ', etaText(progress.eta).split(' '), ' ', columns),
    )
  }
  const shown = gates.map(
    ({ pass, name, found, limit }) => `${pass ? paint('green', '✔') : paint('red', '✖')} ${name}: ${found} (${limit})`,
  )
  lines.push('', wrapped('  gates    ', shown, '   ', columns))
  lines.push(wrapped('  next     ', nextSteps(job, version, blocking?.name), ' · ', columns))
  return lines
}

function limits({ recordsPerSecondMax, bytesPerSecondMax, governedTo }: VersionView, active: number | null): string[] {
  const own = [
    ...(recordsPerSecondMax === null ? [] : [rate(recordsPerSecondMax)]),
    ...(bytesPerSecondMax === null ? [] : [byteRate(bytesPerSecondMax)]),
  ]
  return [
    ...(own.length === 0 ? [] : [`limit ${own.join(', ')}`]),
    ...(governedTo === null ? [] : [`held back to ${rate(governedTo)} for v${active}`]),
  ]
}

function situation({ cutOver }: JobView, view: VersionView, blocking: string | undefined, paint: Paint): string {
  const { phase, health, reason, progress, gates, promote } = view
  if (health === 'stopped') return `${paint('red', 'STOPPED')} ${whyOf(view)}`
  if (health === 'paused') return `${paint('yellow', 'PAUSED')}${reason === null ? '' : ` – ${reason}`}`
  const byItself = promote === 'auto' ? ' – takes over by itself' : ''
  const waits = cutOver === null ? byItself || ' – waiting for promotion' : ''
  if (phase === 'caught-up') return `${paint('green', 'CAUGHT UP')}${waits} since ${caughtUpAt(view)}`
  const gate = gates.find(({ name }) => name === blocking)
  if (progress?.eta.state === 'never' && gate !== undefined)
    return `${paint('red', 'BLOCKED')} at "${gate.name}" since ${clockTime(gate.since)}: ${progress.eta.reason}`
  if (progress !== null && progress.ratio >= 0.9995 && gate !== undefined)
    return `waits for "${gate.name}" since ${clockTime(gate.since)}: ${gate.found}, asked for ${gate.limit}`
  return `REPLAYING${byItself}`
}

/** When the last of its gates came true. */
function caughtUpAt({ gates, policy }: VersionView): string {
  const heldSince = gates.find(({ name }) => name === 'held')?.since
  return heldSince === undefined ? '?' : clockTime(new Date(Date.parse(heldSince) + policy.holdSeconds * 1000).toISOString())
}

const clockTime = (iso: string): string => `${iso.slice(0, 19).replace('T', ' ')} UTC`

function etaText({ state, seconds, low, high, reason }: NonNullable<VersionView['progress']>['eta']): string {
  if (state === 'estimated') return `${duration(seconds!)} (${duration(low!)}–${duration(high!)})`
  if (state === 'never') return `never: ${reason}`
  return state === 'computing' ? 'computing…' : state === 'paused' ? '–' : 'done'
}

const grouped = (text: string): string => Number(text).toLocaleString('en-US')

function rate(value: number | null): string {
  if (value === null) return '?'
  return value >= 10_000 ? `${(value / 1000).toFixed(1)}k rec/s` : `${value.toFixed(value < 10 ? 1 : 0)} rec/s`
}

export function duration(seconds: number): string {
  if (seconds < 60) return `${seconds.toFixed(1)}s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m${String(Math.floor(seconds % 60)).padStart(2, '0')}s`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)}h${String(Math.floor((seconds % 3600) / 60)).padStart(2, '0')}m`
  return `${Math.floor(seconds / 86_400)}d ${String(Math.floor((seconds % 86_400) / 3600)).padStart(2, '0')}h`
}
