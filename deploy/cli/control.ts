import type { Command } from 'commander'
import { StreamError } from '../../engine/errors.ts'
import type { ApiClient } from '../client/api-client.ts'
import type { VersionView } from '../server/views.ts'
import { type ClientFlags, clientOf, clientVerb, reasonOf, versionOf } from './client-flags.ts'
import { confirm, dryRunShows } from './confirm.ts'
import { durationOf } from './duration-flag.ts'
import { exitCodes } from './exit-code.ts'
import { placeOf } from './flag-values.ts'
import { endOf, type OperationView } from './operation.ts'
import { whileServerWorks } from './stop-signals.ts'
import type { Terminal } from './terminal.ts'
import { Exit, printData, say } from './verb.ts'
import { takingOver } from './ways-out.ts'

interface ControlFlags extends ClientFlags {
  readonly message?: string
}

interface CutOverFlags extends ControlFlags {
  readonly dryRun?: boolean
  readonly force?: boolean
  readonly allowSeam?: boolean
  readonly yes?: boolean
  readonly timeout: string
}

interface CutOverResult {
  readonly from: number
  readonly to: number
  readonly positions: Readonly<Record<string, string>>
  readonly heldMs: number | null
}

interface DryRunView {
  readonly job: string
  readonly from: number
  readonly to: number
  readonly positions: Readonly<Record<string, string>>
  readonly gates: readonly { readonly name: string; readonly pass: boolean; readonly found: string; readonly limit: string }[]
  readonly seam: readonly string[]
  readonly changedWindows: readonly { readonly what: string; readonly now: boolean; readonly next: string | null }[]
  readonly wouldSucceed: boolean
  readonly blockedBy: readonly { readonly message: string; readonly fix: string }[]
  readonly pause: { readonly cutOvers: number; readonly lowMs: number; readonly highMs: number } | null
  readonly wayBackUntil: string
}

const path = (job: string, what: string): string => `/api/v1/jobs/${encodeURIComponent(job)}/${what}`

export function promoteVerb(terminal: Terminal): Command {
  return cutOverFlags(
    clientVerb('promote', {
      summary: 'Hand the public topics to a version, at one recorded point',
      examples: [
        ['reprise promote airport-delays --dry-run', 'what would happen; exit code 3 when it would be refused'],
        ['reprise promote airport-delays v2 --yes', 'do not ask'],
      ],
    }),
  )
    .argument('[version]', 'default: the newest candidate')
    .action(async (job: string, version: string | undefined, _, command: Command) => {
      const flags = command.optsWithGlobals<CutOverFlags>()
      await cutOver('promote', job, versionOf(version), flags, terminal)
    })
}

export function rollbackVerb(terminal: Terminal): Command {
  return cutOverFlags(
    clientVerb('rollback', {
      summary: 'Hand the public topics back to the version that had them before; nothing is recomputed',
      examples: [
        ['reprise rollback airport-delays --yes', 'do not ask'],
        ['reprise rollback airport-delays v1 --yes', 'to this one only: given twice, it does not come back again'],
      ],
    }),
  )
    .argument('[version]', 'default: the version that published before')
    .action(async (job: string, version: string | undefined, _, command: Command) => {
      const flags = command.optsWithGlobals<CutOverFlags>()
      await cutOver('rollback', job, versionOf(version), flags, terminal)
    })
}

function cutOverFlags(command: Command): Command {
  return command
    .argument('<job>')
    .option('--dry-run', 'say what would happen, and do nothing')
    .option('--force', 'although it is not caught up')
    .option('--allow-seam', 'although the switch is not exact; without it, a switch between changed windows waits for a common end')
    .option('-m, --message <text>', 'why')
    .option('-y, --yes', 'do not ask')
    .option('--timeout <duration>', 'how long to wait for it', '60s')
}

async function cutOver(kind: 'promote' | 'rollback', job: string, version: object, flags: CutOverFlags, terminal: Terminal): Promise<void> {
  const client = await clientOf(flags, terminal)
  const waitMs = durationOf('--timeout', flags.timeout)
  const body = { ...version, ...reasonOf(flags), force: flags.force === true, allowSeam: flags.allowSeam === true, waitMs }
  const dryRun = await client.post<DryRunView>(path(job, kind), { ...body, dryRun: true })
  if (flags.dryRun) {
    printData(terminal, flags, dryRun, dryRunText(dryRun))
    if (!dryRun.wouldSucceed) throw new Exit(exitCodes.conflict)
    return
  }
  if (!flags.yes) {
    say(terminal, flags, dryRunText(dryRun).trimEnd())
    await confirm(terminal, `${kind === 'promote' ? 'Promote' : 'Roll back'} ${job} to v${dryRun.to}?`, dryRunShows)
  }
  const wayOut = `end it before it is decided: reprise abort ${job} v${dryRun.to} --keep`
  const work = async () => {
    const begun = await client.post<OperationView<CutOverResult>>(path(job, kind), { ...body, version: dryRun.to })
    return endOf(client, begun, { timeoutMs: waitMs + answerMs, wayOut })
  }
  const ended = await whileServerWorks(work, `The server goes on with it. Look: reprise status ${job}; ${wayOut}`, terminal, flags)
  if (ended.error !== null) throw errorOf(ended)
  const { result } = ended
  const { heldMs, positions, from, to } = result!
  const former = await client.get<VersionView>(path(job, `versions/${from}`))
  printData(
    terminal,
    flags,
    ended,
    `${job} is now v${to}, from ${placesOf(positions)} on. The publication stood still for at most ${heldMs} ms.\nundo: ${takingOver(former, 'rollback')}\n`,
  )
}

/** More than the wait itself: for the server to say how it ended. */
const answerMs = 5000

function errorOf({ job, version, error }: OperationView<CutOverResult>): StreamError {
  const { code, message, fix } = error!
  // What it says is whole already: code, reason and place.
  return new StreamError(
    code === 'CUT_OVER_SEAM' ? code : 'CUT_OVER_ABORTED',
    { job, version, reason: message },
    fix === undefined ? {} : { fix },
  )
}

function placesOf(positions: DryRunView['positions']): string {
  return Object.entries(positions)
    .map(([name, at]) => `${name}@${at}`)
    .join(' ')
}

function dryRunText({
  job,
  from,
  to,
  positions,
  gates,
  seam,
  changedWindows,
  wouldSucceed,
  blockedBy,
  pause,
  wayBackUntil,
}: DryRunView): string {
  return [
    wouldSucceed
      ? `Would switch ${job} from v${from} to v${to} at ${placesOf(positions)} (or later)`
      : `Would not switch ${job} from v${from} to v${to}`,
    `  gates     ${gates.map(({ name, pass, found, limit }) => `${pass ? '✔' : '✖'} ${name}: ${found} (${limit})`).join('   ')}`,
    `  pause     ${pauseText(pause)}`,
    `  way back  v${from} runs on until ${wayBackUntil}`,
    ...seam.map((text) => `  ! seam    ${text}`),
    ...changedWindows.map(
      ({ what, now, next }) =>
        `  windows   ${what}: ${now ? 'at a common end' : `waits for a common end${next === null ? '' : `, at ${next}`}`}`,
    ),
    ...blockedBy.flatMap(({ message, fix }) => [`  blocked   ${message}`, `  fix       ${fix}`]),
    '',
  ].join('\n')
}

function pauseText(pause: DryRunView['pause']): string {
  if (pause === null) return 'unknown: no cut-over yet'
  const { cutOvers, lowMs, highMs } = pause
  const range = lowMs === highMs ? `${lowMs}` : `${lowMs}–${highMs}`
  return `about ${range} ms, as in the last ${cutOvers === 1 ? 'cut-over' : `${cutOvers} cut-overs`}`
}

export function abortVerb(terminal: Terminal): Command {
  return clientVerb('abort', {
    summary: 'Give up a candidate, or the way back, with all it had; or only the cut-over to it',
    examples: [
      ['reprise abort airport-delays v2', 'it is removed with all it computed'],
      ['reprise abort airport-delays v2 --keep', 'end the promote or rollback that is under way, before it is decided; v2 stays as it is'],
    ],
  })
    .argument('<job>')
    .argument('[version]', 'default: the newest candidate; with --keep the one that is to take over')
    .option('--keep', 'end only the cut-over to it that is under way; all versions stay as they are')
    .option('-m, --message <text>', 'why')
    .option('-y, --yes', 'do not ask')
    .action(async (job: string, version: string | undefined, _, command: Command) => {
      const flags = command.optsWithGlobals<ControlFlags & { readonly yes?: boolean; readonly keep?: boolean }>()
      const client = await clientOf(flags, terminal)
      if (flags.keep) return endCutOver(client, job, version, flags, terminal)
      if (!flags.yes) await confirm(terminal, `Remove ${version ?? 'the newest candidate'} of ${job} with all it computed?`)
      await change(client, 'abort', job, version, flags, terminal)
    })
}

async function endCutOver(
  client: ApiClient,
  job: string,
  version: string | undefined,
  flags: ControlFlags,
  terminal: Terminal,
): Promise<void> {
  const view = await client.post<VersionView>(path(job, 'abort'), { ...versionOf(version), ...reasonOf(flags), keep: true })
  printData(
    terminal,
    flags,
    view,
    `No cut-over to ${job} v${view.version} is under way any more. It stays as it is: ${view.role}, ${view.health}\n`,
  )
}

export function pauseVerb(terminal: Terminal): Command {
  return changing(terminal, 'pause', 'Let a version take no input until it is resumed')
}

export function resumeVerb(terminal: Terminal): Command {
  return changing(terminal, 'resume', 'Let a version go on that was paused, or that was stopped')
}

function changing(terminal: Terminal, what: 'pause' | 'resume', summary: string): Command {
  return clientVerb(what, { summary, examples: [[`reprise ${what} airport-delays v2`, '']] })
    .argument('<job>')
    .argument('[version]', 'default: the newest candidate, else the active one')
    .option('-m, --message <text>', 'why')
    .action(async (job: string, version: string | undefined, _, command: Command) => {
      const flags = command.optsWithGlobals<ControlFlags>()
      await change(await clientOf(flags, terminal), what, job, version, flags, terminal)
    })
}

async function change(
  client: ApiClient,
  what: string,
  job: string,
  version: string | undefined,
  flags: ControlFlags,
  terminal: Terminal,
): Promise<void> {
  const view = await client.post<VersionView>(path(job, what), { ...versionOf(version), ...reasonOf(flags) })
  printData(
    terminal,
    flags,
    view,
    `${job} v${view.version} is ${view.role === 'aborted' || view.role === 'retired' ? view.role : view.health}\n`,
  )
}

export function skipVerb(terminal: Terminal): Command {
  return clientVerb('skip', {
    summary: 'Let a version go on past a record it stopped at; the record is set aside as a dead letter',
    examples: [['reprise skip airport-delays flights/0@4711 --yes', 'of the version that publishes']],
  })
    .argument('<job>')
    .argument('<record>', 'topic/partition@offset')
    .argument('[version]', 'default: the version that publishes')
    .option('-m, --message <text>', 'why')
    .option('-y, --yes', 'do not ask')
    .action(async (job: string, record: string, version: string | undefined, _, command: Command) => {
      const flags = command.optsWithGlobals<ControlFlags & { readonly yes?: boolean }>()
      const place = placeOf(record)
      if (place === undefined)
        throw new StreamError('USAGE', { reason: `${record} is not a record` }, { fix: 'write topic/partition@offset' })
      const client = await clientOf(flags, terminal)
      if (!flags.yes) await confirm(terminal, `Leave ${record} out of the results of ${job} ${version ?? 'that are public'}?`)
      const view = await client.post<VersionView>(path(job, 'skip'), { ...versionOf(version), ...reasonOf(flags), ...place })
      printData(terminal, flags, view, skippedText(view, record))
    })
}

function skippedText({ job, version, role }: VersionView, record: string): string {
  const where =
    role === 'active'
      ? `look: reprise dlq list ${job}`
      : `v${version} does not publish: its dead letter is private, and reprise dlq does not show it`
  return `${job} v${version} sets ${record} aside as a dead letter when it comes to it.\n${where}\n`
}
