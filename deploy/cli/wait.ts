import type { Command } from 'commander'
import { StreamError } from '../../engine/errors.ts'
import type { ApiClient } from '../client/api-client.ts'
import { realClock } from '../real-clock.ts'
import type { VersionView } from '../server/views.ts'
import { type ClientFlags, clientOf, clientVerb, versionOf } from './client-flags.ts'
import { durationOf } from './duration-flag.ts'
import { whileServerWorks } from './stop-signals.ts'
import type { Terminal } from './terminal.ts'
import { printData } from './verb.ts'

interface WaitFlags extends ClientFlags {
  readonly timeout: string
}

export function waitVerb(terminal: Terminal): Command {
  return clientVerb('wait', {
    summary: 'Wait until a version has caught up: exit code 0; 4 when it did not in time, 3 when it was stopped or is no more',
    examples: [['reprise wait airport-delays v2 --timeout 10m && reprise promote airport-delays v2 --yes', '']],
  })
    .argument('<job>')
    .argument('[version]', 'default: the newest candidate')
    .option('--timeout <duration>', 'how long at most', '1h')
    .action(async (job: string, version: string | undefined, _, command: Command) => {
      const flags = command.optsWithGlobals<WaitFlags>()
      const client = await clientOf(flags, terminal)
      const timeoutMs = durationOf('--timeout', flags.timeout)
      const { version: wanted } = versionOf(version)
      const view = await whileServerWorks(() => caughtUp(client, job, wanted, timeoutMs), replayGoesOn(job, wanted), terminal, flags)
      printData(terminal, flags, view, `${job} v${view.version} has caught up\n`)
    })
}

export function replayGoesOn(job: string, version: number | undefined): string {
  const which = version === undefined ? job : `${job} v${version}`
  return `The server goes on with it. Look: reprise status ${job}; let it rest: reprise pause ${which}; give it up: reprise abort ${which}`
}

/** @param wanted undefined: the newest candidate. VERSION_UNKNOWN; VERSION_STATE when it runs no more; WAIT_TIMED_OUT. */
export async function caughtUp(client: ApiClient, job: string, wanted: number | undefined, timeoutMs: number): Promise<VersionView> {
  const from = realClock.monotonic()
  for (;;) {
    const { versions } = await client.get<{ versions: VersionView[] }>(`/api/v1/jobs/${encodeURIComponent(job)}`)
    const view = versions.find(({ version, role }) => (wanted === undefined ? role === 'candidate' : version === wanted))
    if (view === undefined)
      throw new StreamError(
        'VERSION_UNKNOWN',
        { job, version: wanted ?? 'a candidate' },
        { fix: `deploy one, or name one of: reprise versions ${job}` },
      )
    // One that is paused publishes nothing, and can't be promoted: it is waited for too.
    if (view.health === 'running' && (view.role === 'active' || view.phase === 'caught-up')) return view
    if (view.health === 'stopped' || (view.phase === null && view.role !== 'active'))
      throw new StreamError(
        'VERSION_STATE',
        { job, version: view.version, role: view.role, health: view.health, reason: view.reason ?? 'it runs no more' },
        { fix: `what can be done: reprise status ${job}` },
      )
    if (realClock.monotonic() - from > timeoutMs)
      throw timedOut(`${job} v${view.version}: ${view.gates.find(({ pass }) => !pass)?.name}`, timeoutMs)
    await realClock.sleep(200)
  }
}

/** @param wayOut how what is waited for is ended. */
export function timedOut(what: string, timeoutMs: number, wayOut?: string): StreamError {
  const fix = `it goes on at the server; look with reprise status${wayOut === undefined ? '' : `; ${wayOut}`}`
  return new StreamError('WAIT_TIMED_OUT', { what, timeoutMs }, { fix })
}
