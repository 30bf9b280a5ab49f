import { type Command, Option } from 'commander'
import { silentLogger } from '../../engine/ports/world.ts'
import { type ClientFlags, clientOf, clientVerb } from './client-flags.ts'
import { confirm, dryRunShows } from './confirm.ts'
import { type Deployed, deployedText, type Plan, planText } from './deploy-text.ts'
import { durationOf } from './duration-flag.ts'
import { manyTimes, wholeNumber } from './flag-values.ts'
import { fromHelp, fromOf } from './from-flag.ts'
import { type PolicyFlags, policyBody, policyFlags } from './policy-flags.ts'
import { rateBody, rateHelp } from './rate-flag.ts'
import type { Terminal } from './terminal.ts'
import { printData, say } from './verb.ts'

interface DeployFlags extends ClientFlags, PolicyFlags {
  readonly message?: string
  readonly parallelism?: string
  readonly promote: 'manual' | 'auto'
  readonly allowSchemaChange?: boolean
  readonly createTopics?: boolean
  readonly from: readonly string[]
  readonly rate?: string
  readonly dryRun?: boolean
  /** Set unless --no-type-check is given. */
  readonly typeCheck: boolean
  readonly wait?: boolean
  readonly timeout: string
  readonly yes?: boolean
}

export function deployVerb(terminal: Terminal): Command {
  const deploy = clientVerb('deploy', {
    summary: 'Deploy a job: the first version publishes at once, a later one replays the history beside it',
    examples: [
      ['reprise deploy job.ts -m "count refunds once"', 'shows the plan, and deploys'],
      ['reprise deploy job.ts --dry-run', 'the plan only'],
      ['reprise deploy job.ts --from 2026-11-01T00:00:00Z', 'replay what was appended since then'],
      ['reprise deploy job.ts --promote auto', 'asks first: it takes over by itself once it has caught up'],
      ['reprise deploy job.ts --wait && reprise promote airport-delays --yes', 'in a script'],
    ],
  })
    .argument('<job>', 'the job file: TypeScript or JavaScript with `export default defineJob(...)`')
    .option('-m, --message <text>', 'what is new in it')
    .option('--parallelism <n>', 'tasks of each stage (default: 1); versions of one job may differ')
    .addOption(new Option('--promote <how>', 'who switches over').choices(['manual', 'auto']).default('manual'))
    .option('--allow-schema-change', 'although readers of its outputs will find other fields')
    .addOption(manyTimes('--from <where>', fromHelp, 'zero'))
    .option('--rate <rate>', rateHelp)
    .option('--create-topics', 'make topics it reads that are not there')
    .option('--no-type-check', 'take the types away without a look at them')
  return policyFlags(deploy)
    .option('--dry-run', 'show the plan and do nothing')
    .option('--wait', 'until it has caught up, as reprise wait does')
    .option('--timeout <duration>', 'with --wait: how long at most', '1h')
    .option('-y, --yes', 'do not ask; only --promote auto does')
    .action(async (file: string, _, command: Command) => deployJob(file, command.optsWithGlobals<DeployFlags>(), terminal))
}

async function deployJob(file: string, flags: DeployFlags, terminal: Terminal): Promise<void> {
  const parallelism = flags.parallelism === undefined ? {} : { parallelism: wholeNumber('--parallelism', flags.parallelism, 1, 64) }
  const waitMs = durationOf('--timeout', flags.timeout)
  const client = await clientOf(flags, terminal)
  const { openJobFile } = await import('../load-job-file.ts')
  const { bundle } = await openJobFile(file, silentLogger)
  if (flags.typeCheck) await check(file, flags, terminal)
  const body = {
    bundle,
    ...parallelism,
    promote: flags.promote,
    allowSchemaChange: flags.allowSchemaChange === true,
    createTopics: flags.createTopics === true,
    from: fromOf(flags.from),
    ...policyBody(flags),
    ...rateBody(flags.rate),
    ...(flags.message === undefined ? {} : { message: flags.message }),
  }
  const plan = await client.post<Plan>('/api/v1/plan', body)
  const text = planText(plan)
  if (flags.dryRun) return printData(terminal, flags, plan, text)
  say(terminal, flags, text.trimEnd())
  // Nothing is lost by a first version, nor by a candidate: only a switch is dangerous.
  if (flags.promote === 'auto' && plan.active !== null && plan.already === null) {
    if (!flags.yes) await confirm(terminal, `v${plan.next} will take over from v${plan.active} by itself. Deploy?`, dryRunShows)
  }
  const version = await client.post<Deployed>('/api/v1/versions', body)
  if (version.already) notTaken(version, flags, terminal)
  if (flags.wait !== true) return printData(terminal, flags, version, deployedText(version))
  say(terminal, flags, deployedText(version).trimEnd())
  const [{ caughtUp, replayGoesOn }, { whileServerWorks }] = await Promise.all([import('./wait.ts'), import('./stop-signals.ts')])
  const { job, version: number } = version
  const view = await whileServerWorks(() => caughtUp(client, job, number, waitMs), replayGoesOn(job, number), terminal, flags)
  printData(terminal, flags, view, `${view.job} v${view.version} ${view.role === 'active' ? 'publishes' : 'has caught up'}\n`)
}

/** What only a new version can have. */
function notTaken({ version, message }: Deployed, flags: DeployFlags, terminal: Terminal): void {
  if (flags.message === undefined || flags.message === message) return
  say(terminal, flags, `-m is not taken: v${version} keeps ${message === null ? 'having no message' : `its message, "${message}"`}`)
}

async function check(file: string, flags: DeployFlags, terminal: Terminal): Promise<void> {
  const { checkTypes } = await import('../type-check/type-check.ts')
  const from = performance.now()
  const found = await checkTypes(file)
  if (found === 'checked') say(terminal, flags, `types checked in ${((performance.now() - from) / 1000).toFixed(1)} s`)
  if (found === 'no-compiler')
    say(terminal, flags, `types are not checked: there is no typescript where ${file} is (npm install --save-dev typescript)`)
}
