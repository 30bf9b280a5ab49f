import { type Command, Option } from 'commander'
import { silentLogger } from '../../engine/ports/world.ts'
import type { VersionView } from '../server/views.ts'
import { type ClientFlags, clientOf, clientVerb } from './client-flags.ts'
import { confirm } from './confirm.ts'
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
  readonly yes?: boolean
}

interface Plan {
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
}

export function deployVerb(terminal: Terminal): Command {
  const deploy = clientVerb('deploy', {
    summary: 'Deploy a job: the first version publishes at once, a later one replays the history beside it',
    examples: [
      ['reprise deploy job.ts -m "count refunds once"', 'shows the plan and asks'],
      ['reprise deploy job.ts --dry-run', 'the plan only'],
      ['reprise deploy job.ts --from 2026-11-01T00:00:00Z', 'replay what was appended since then'],
      ['reprise deploy job.ts --promote auto --yes', 'takes over by itself once it has caught up'],
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
    .option('-y, --yes', 'do not ask')
    .action(async (file: string, _, command: Command) => deployJob(file, command.optsWithGlobals<DeployFlags>(), terminal))
}

async function deployJob(file: string, flags: DeployFlags, terminal: Terminal): Promise<void> {
  const parallelism = flags.parallelism === undefined ? {} : { parallelism: wholeNumber('--parallelism', flags.parallelism, 1, 64) }
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
  if (flags.dryRun) return printData(terminal, flags, plan, planText(plan))
  say(terminal, flags, planText(plan).trimEnd())
  // Nothing is lost by a first version, nor by a candidate: only a switch is dangerous.
  if (flags.promote === 'auto' && plan.active !== null) {
    if (!flags.yes) await confirm(terminal, `v${plan.next} will take over from v${plan.active} by itself. Deploy?`)
  }
  const version = await client.post<VersionView>('/api/v1/versions', body)
  printData(terminal, flags, version, deployedText(version))
}

async function check(file: string, flags: DeployFlags, terminal: Terminal): Promise<void> {
  const { checkTypes } = await import('../type-check/type-check.ts')
  const from = performance.now()
  const found = await checkTypes(file)
  if (found === 'checked') say(terminal, flags, `types checked in ${((performance.now() - from) / 1000).toFixed(1)} s`)
  if (found === 'no-compiler')
    say(terminal, flags, `types are not checked: there is no typescript where ${file} is (npm install --save-dev typescript)`)
}

function planText({
  job,
  active,
  next,
  changes,
  schemaBreaks,
  seam,
  changedWindows,
  startsAt,
  recordsToReplay,
  estimateSeconds,
}: Plan): string {
  const marks: Record<string, string> = { added: '+', removed: '-', changed: '~', same: '=' }
  const lines = [`Plan for job ${job}   ${active === null ? 'first version' : `v${active} (active) → v${next}`}`]
  const width = Math.max(0, ...changes.map(({ name }) => name.length))
  for (const { change, what, name, detail } of changes) lines.push(`  ${marks[change]} ${what.padEnd(9)} ${name.padEnd(width)}  ${detail}`)
  if (active !== null && changes.every(({ change }) => change === 'same'))
    lines.push('  ~ code      operators, stores and topics are the same; what their functions do may differ')
  for (const text of schemaBreaks) lines.push(`  ! schema    ${text}`)
  for (const text of seam) lines.push(`  ! seam      ${text}: windows open at the switch are as one of the versions saw them`)
  for (const text of changedWindows) lines.push(`  ~ windows   ${text}: the switch waits for a common end of both`)
  const estimate = estimateSeconds === null ? '' : `, about ${Math.ceil(estimateSeconds)} s at the rate of v${active}`
  const starts = Object.entries(startsAt).map(([name, at]) => `${name}@${at}`)
  const from = starts.length === 0 ? '' : ` from ${starts.join(', ')}`
  lines.push(`  replay     ${recordsToReplay.toLocaleString('en-US')} records${from}${estimate}`)
  return `${lines.join('\n')}\n`
}

function deployedText({ job, version, role }: VersionView): string {
  if (role === 'active') return `${job} v${version} publishes.\nwatch: reprise status ${job} --watch\n`
  return `${job} v${version} replays beside the version that publishes.\nwatch:   reprise status ${job} --watch\npromote: reprise wait ${job} v${version} && reprise promote ${job} v${version}\n`
}
