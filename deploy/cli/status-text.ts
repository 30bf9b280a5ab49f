import type { JobView, VersionView } from '../server/views.ts'
import { byteRate } from './rate-flag.ts'
import type { Paint } from './terminal.ts'
import { table } from './verb.ts'

const barWidth = 26

export type PartitionOfVersion = VersionView['partitions'][number] & { readonly version: number }

/** What a person sees of a job: who publishes, what replays, and what stands in the way, with the command that resolves it. */
export function statusText(job: JobView, paint: Paint): string {
  const active = job.versions.find(({ version }) => version === job.active)
  const lines: string[] = []
  if (active !== undefined) lines.push(headline(job.job, active, paint))
  const others = job.versions.filter(({ role }) => role === 'candidate' || role === 'standby')
  if (job.standby !== null) lines.push(`standby v${job.standby}   the way back: reprise rollback ${job.job}`)
  for (const version of others.filter(({ role }) => role === 'candidate')) lines.push('', ...candidateLines(job, version, paint))
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
export function statusLine({ job, version, role, phase, health, progress, lag }: VersionView): string {
  const state = health === 'running' ? (role === 'candidate' ? (phase ?? role) : role) : health
  const parts = [job, `v${version}`, state]
  if (progress !== null) {
    parts.push(`${(progress.ratio * 100).toFixed(1)}%`, `${progress.done}/${progress.target}`)
    parts.push(`rate=${rate(progress.recordsPerSecond)}`, `head=${rate(progress.headPerSecond)}`)
  }
  if (lag !== null) parts.push(`lag_max=${lag.records}${lag.partition === null ? '' : `(${lag.partition})`}`)
  if (progress !== null && role !== 'active')
    parts.push(`eta=${progress.eta.state === 'estimated' ? `${Math.ceil(progress.eta.seconds!)}s` : progress.eta.state}`)
  return `${parts.join(' ')}\n`
}

function headline(job: string, { version, health, lag, progress, reason, code }: VersionView, paint: Paint): string {
  const state = health === 'running' ? paint('green', 'healthy') : paint('red', health)
  const behind = lag === null ? '' : `   lag ${grouped(lag.records)} records, ${duration(lag.seconds)}`
  const taken = progress?.recordsPerSecond == null ? '' : `   ${rate(progress.recordsPerSecond)} in`
  const head = `${paint('bold', job)}   ${paint('bold', `ACTIVE v${version}`)} · ${state}${behind}${taken}`
  if (health === 'running') return head
  const out =
    health === 'paused'
      ? `reprise resume ${job} v${version}`
      : `reprise resume ${job} v${version} · reprise rollback ${job} · deploy a version that can go on`
  return `${head}\n  why      ${code === null ? '' : `${code}: `}${reason ?? 'no reason was given'}\n  options  ${out}`
}

function candidateLines(job: JobView, version: VersionView, paint: Paint): string[] {
  const { progress, gates } = version
  const blocking = gates.find(({ pass }) => !pass)
  const lines = [`candidate ${paint('bold', `v${version.version}`)}  ${situation(version, blocking?.name, paint)}`]
  if (progress !== null && version.phase === 'replaying') {
    const filled = Math.round(progress.ratio * barWidth)
    lines.push(
      '',
      `  replay   ${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)}  ${(progress.ratio * 100).toFixed(1)}%   ${grouped(progress.done)} / ${grouped(progress.target)}`,
      `  rate     ${rate(progress.recordsPerSecond)}   head +${rate(progress.headPerSecond)}   net ${rate(progress.netPerSecond)}${limits(version, job.active)}`,
      `  eta      ${etaText(progress.eta)}`,
    )
  }
  lines.push(
    '',
    `  gates    ${gates.map((gate) => `${gate.pass ? paint('green', '✔') : paint('red', '✖')} ${gate.name}: ${gate.found} (${gate.limit})`).join('   ')}`,
  )
  lines.push(`  next     ${nextStep(job.job, version, blocking?.name)}`)
  return lines
}

function limits({ recordsPerSecondMax, bytesPerSecondMax, governedTo }: VersionView, active: number | null): string {
  const own = [
    ...(recordsPerSecondMax === null ? [] : [rate(recordsPerSecondMax)]),
    ...(bytesPerSecondMax === null ? [] : [byteRate(bytesPerSecondMax)]),
  ]
  const limit = own.length === 0 ? '' : `   limit ${own.join(', ')}`
  return governedTo === null ? limit : `${limit}   held back to ${rate(governedTo)} for v${active}`
}

function situation({ phase, health, reason, code, progress, gates }: VersionView, blocking: string | undefined, paint: Paint): string {
  if (health === 'stopped') return `${paint('red', 'STOPPED')} ${code}: ${reason}`
  if (health === 'paused') return `${paint('yellow', 'PAUSED')}${reason === null ? '' : ` – ${reason}`}`
  if (phase === 'caught-up') return `${paint('green', 'CAUGHT UP')} – waiting for promotion`
  const gate = gates.find(({ name }) => name === blocking)
  if (progress?.eta.state === 'never')
    return `${paint('red', 'BLOCKED')} at "max lag" since ${gate?.since.slice(11, 19)}: ${progress.eta.reason}`
  if (progress !== null && progress.ratio >= 0.9995 && gate !== undefined)
    return `waits for "${gate.name}": ${gate.found}, asked for ${gate.limit}`
  return 'REPLAYING'
}

function nextStep(job: string, { version, health, phase, progress }: VersionView, blocking: string | undefined): string {
  if (health === 'stopped') return `mend the job and deploy it · reprise abort ${job} v${version}`
  if (health === 'paused') return `reprise resume ${job} v${version}`
  if (phase === 'caught-up') return `reprise promote ${job} v${version}`
  if (progress?.eta.state === 'never')
    return `reprise rate ${job} max · reprise promote ${job} v${version} --force · reprise abort ${job} v${version}`
  return `reprise wait ${job} v${version}${blocking === undefined ? '' : `   (for "${blocking}")`}`
}

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
