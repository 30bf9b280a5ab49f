import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir, totalmem } from 'node:os'
import path from 'node:path'

interface Report {
  readonly success: boolean
  readonly testResults: readonly {
    readonly name: string
    readonly startTime: number
    readonly endTime: number
    readonly assertionResults: readonly { readonly status: string }[]
  }[]
}

const summaryFile = 'docs/proof/full-run.md'

// All tests with all seeds and every kill point (REPRISE_FULL=1), and a summary of what came of it in docs/proof/.
const directory = mkdtempSync(path.join(tmpdir(), 'reprise-full-'))
try {
  const output = path.join(directory, 'report.json')
  const startedAt = Date.now()
  const { status } = spawnSync(
    'npx',
    ['vitest', 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${output}`, ...process.argv.slice(2)],
    {
      stdio: 'inherit',
      env: { ...process.env, REPRISE_FULL: '1' },
    },
  )
  const report = JSON.parse(readFileSync(output, 'utf8')) as Report
  mkdirSync(path.dirname(summaryFile), { recursive: true })
  writeFileSync(summaryFile, summaryOf(report, startedAt))
  process.stdout.write(`summary: ${summaryFile}\n`)
  process.exitCode = status ?? 1
} finally {
  rmSync(directory, { recursive: true })
}

function summaryOf({ success, testResults }: Report, startedAt: number): string {
  const folders = new Map<string, { files: number; passed: number; failed: number; skipped: number; seconds: number }>()
  for (const { name, startTime, endTime, assertionResults } of testResults) {
    const folder = path
      .relative(process.cwd(), name)
      .split(path.sep)
      .slice(0, 3)
      .filter((part) => !part.endsWith('.ts'))
      .join('/')
    const sum = folders.get(folder) ?? { files: 0, passed: 0, failed: 0, skipped: 0, seconds: 0 }
    sum.files++
    sum.seconds += (endTime - startTime) / 1000
    for (const { status } of assertionResults) sum[status === 'passed' || status === 'failed' ? status : 'skipped']++
    folders.set(folder, sum)
  }
  const rows = [...folders].sort(([a], [b]) => (a < b ? -1 : 1))
  return `# Full test run

${success ? 'All tests passed' : 'SOME TESTS FAILED'}, ${new Date(startedAt).toISOString()}, ${Math.round((Date.now() - startedAt) / 1000)} s.

- Command: \`npm run test:full\` (REPRISE_FULL=1)
- Commit: ${commit()}
- Seeds: simulated worlds 1 to 20,000 of each kind; ${['KILL_SEED', 'REPRISE_SEED'].map((name) => `${name}=${process.env[name] ?? 1}`).join(', ')}
- Machine: ${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 2 ** 30)} GB, ${process.platform} ${process.arch}, Node.js ${process.version}

| folder | files | passed | failed | skipped | seconds |
|---|--:|--:|--:|--:|--:|
${rows.map(([folder, { files, passed, failed, skipped, seconds }]) => `| ${folder} | ${files} | ${passed} | ${failed} | ${skipped} | ${seconds.toFixed(1)} |`).join('\n')}
`
}

function commit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { encoding: 'utf8' }).trim()
  return `${git('rev-parse', '--short=12', 'HEAD')}${git('status', '--porcelain') === '' ? '' : ', with changes that are not committed'}`
}
