import type { Command } from 'commander'
import type { CatchUpPolicy } from '../../replay/catch-up.ts'
import { isLoopback } from '../server/loopback.ts'
import { durationOf } from './duration-flag.ts'
import { manyTimes, wholeNumber } from './flag-values.ts'
import { type PolicyFlags, policyFlags, policyOf } from './policy-flags.ts'
import { stopSignals } from './stop-signals.ts'
import type { Terminal } from './terminal.ts'
import { type CommonFlags, printData, say, verb } from './verb.ts'

interface ServerFlags extends CommonFlags, PolicyFlags {
  readonly data: string
  readonly host: string
  readonly port: string
  readonly memory: string
  readonly heap: string
  readonly watchdog: string
  readonly diskQuota?: string
  readonly bakeTime: string
  readonly holdTimeout: string
  readonly requireTokens?: boolean
  readonly set: readonly string[]
}

export function serverVerb(terminal: Terminal): Command {
  const server = verb('server', {
    summary: 'Serve a data directory: its log, the versions of its jobs, and the admin API',
    examples: [
      ['reprise server --data data', 'on http://127.0.0.1:8787'],
      ['reprise server --data data --host 0.0.0.0', 'for others too, with tokens: see reprise token --help'],
      ['reprise deploy job.ts', 'in another terminal: the first version publishes at once'],
    ],
  })
    .requiredOption('--data <dir>', 'the data directory; made if need be')
    .option('--host <address>', 'the address to listen on; calls to any other than this machine need tokens', '127.0.0.1')
    .option('--port <n>', 'the port to listen on; 0: any that is free', '8787')
    .option('--require-tokens', 'calls from this machine need tokens too')
    .option('--memory <MB>', 'state of a version kept in memory at most; the rest goes to disk', '512')
    .option('--heap <MB>', "heap of a version's thread at most; one that needs more is stopped", '2048')
    .option('--watchdog <duration>', 'a version whose code does not come back for so long is stopped', '30s')
    .option(
      '--disk-quota <MB>',
      'state and private results of a version on disk at most; one that needs more is stopped (default: no limit)',
    )
    .option('--bake-time <duration>', 'how long a version that published before runs on, so that the way back is instant', '24h')
    .option('--hold-timeout <duration>', 'how long a cut-over may hold the version that publishes', '500ms')
  return policyFlags(server, { maxLagRecords: '1000', maxLag: '5s', hold: '2s' })
    .addOption(manyTimes('--set <name=value>', 'a setting, see docs/settings.md; can be given again'))
    .action(async (_, command: Command) => serve(command.optsWithGlobals<ServerFlags>(), terminal))
}

async function serve(flags: ServerFlags, terminal: Terminal): Promise<void> {
  const mib = 2 ** 20
  const heapBytesMax = wholeNumber('--heap', flags.heap, 64, 1 << 20) * mib
  const memoryBytesMax = wholeNumber('--memory', flags.memory, 1, 1 << 20) * mib
  const options = {
    directory: flags.data,
    host: flags.host,
    requireTokens: flags.requireTokens === true,
    port: wholeNumber('--port', flags.port, 0, 65_535),
    memoryBytesMax,
    limits: { heapBytesMax, externalBytesMax: heapBytesMax, watchdogMs: durationOf('--watchdog', flags.watchdog) },
    diskBytesMax: flags.diskQuota === undefined ? Number.POSITIVE_INFINITY : wholeNumber('--disk-quota', flags.diskQuota, 1, 1 << 30) * mib,
    // What has to be there has a default.
    policy: policyOf(flags) as CatchUpPolicy,
    bakeMs: durationOf('--bake-time', flags.bakeTime),
    holdMs: durationOf('--hold-timeout', flags.holdTimeout),
    failAt: terminal.env.REPRISE_FAIL_AT,
  }
  const [{ createLogger }, { parseSettings }, { RepriseServer }] = await Promise.all([
    import('../observability/logger.ts'),
    import('../settings.ts'),
    import('../server/server.ts'),
  ])
  const settings = parseSettings(flags.set)
  const logger = createLogger({
    level: flags.quiet ? 'error' : flags.verbose ? 'debug' : 'info',
    format: flags.json ? 'json' : 'text',
    write: terminal.err.write,
  })
  const signals = stopSignals(() =>
    say(terminal, flags, 'stopping: versions finish their slices, commit, write checkpoints (again to stop at once)'),
  )
  const server = await RepriseServer.start({ ...options, settings, logger })
  if (!isLoopback(flags.host)) say(terminal, flags, 'plain HTTP: put a proxy with TLS before it, or tokens can be read on the way')
  printData(terminal, flags, { url: server.url }, `reprise serves ${flags.data} on ${server.url}\n`)
  if (!signals.stop.aborted)
    await new Promise<void>((resolve) => void signals.stop.addEventListener('abort', () => resolve(), { once: true }))
  await server.close()
  signals.end()
}
