import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { withLogView } from '../../deploy/open-existing-log.ts'
import { reprise, start } from './command-line.ts'

/** Each record takes a millisecond or two, so that a signal comes into a slice. */
const slow = `
import { count, defineJob, topic, tumbling } from 'reprise'
const numbers = topic('numbers', { codec: 'json', eventTime: (n) => n })
const spins = () => { let x = 0; for (let i = 0; i < 1e6; i++) x = (x + i) % 7; return x }
export default defineJob('slow', (job) => {
  const spun = job.from(numbers).map((n) => (spins() < 7 ? n : 0))
  spun.to(topic('copies', { codec: 'json' }))
  spun.keyBy('one', () => 'all').window('w', tumbling('100ms')).aggregate({ n: count() }).to(topic('counts', { codec: 'json' }))
})
`
const records = 800

const dir = mkdtempSync(join(tmpdir(), 'reprise-stop-run-'))
const job = join(dir, 'slow.ts')
const argsOf = (data: string, flags: readonly string[]) => [
  ...['run', job, '--data', join(dir, data), '--ingest', `numbers=${join(dir, 'numbers.ndjson')}`, '--json'],
  ...['--set', 'sliceRecordsMax=50', ...flags],
]
let undisturbed: string
beforeAll(async () => {
  writeFileSync(job, slow)
  writeFileSync(join(dir, 'numbers.ndjson'), Array.from({ length: records }, (_, n) => `${n}\n`).join(''))
  undisturbed = digestOf(await reprise(argsOf('undisturbed', ['--until-end'])))
}, 60_000)
afterAll(() => rmSync(dir, { recursive: true, force: true }))

test.each([
  ['SIGTERM', 'to the end', ['--until-end'], 130],
  ['SIGINT', 'until it is stopped', [], 0],
] as const)(
  '%s to a run %s: it finishes its slice, commits, checkpoints, says what it did, and goes on when started again',
  async (signal, _, flags, exit) => {
    const running = start(argsOf(signal, flags))
    await committed(signal)
    running.kill(signal)
    const { code, stdout, stderr } = await running.ended
    expect(code, stderr).toBe(exit)
    expect(stderr).toContain('stopping: finishing the slice')
    const summary = JSON.parse(stdout)
    expect(summary.in).toBeGreaterThan(0)
    expect(summary.in).toBeLessThan(records)
    expect(summary.out.copies).toBe(summary.in)
    expect(await copies(signal)).toBe(summary.in)
    // A clean stop left a checkpoint of its last slice. Killed if the first slice that recovery runs again were done: there is none.
    await goesOn(signal, { REPRISE_FAIL_AT: 'recover.rerun:1' })
  },
  60_000,
)

test('a second signal stops at once, without a summary; what was committed stands', async () => {
  const running = start(argsOf('twice', ['--until-end']))
  await committed('twice')
  running.kill('SIGINT')
  running.kill('SIGTERM')
  const { code, stdout, stderr } = await running.ended
  expect([130, 143], stderr).toContain(code)
  expect(stdout).toBe('')
  expect(await copies('twice')).toBeLessThan(records)
  await goesOn('twice')
}, 60_000)

/** Waits until a slice is committed. */
async function committed(data: string): Promise<void> {
  await expect.poll(() => copies(data).catch(() => 0), { timeout: 30_000 }).toBeGreaterThan(0)
}

async function copies(data: string): Promise<number> {
  return withLogView(join(dir, data), async (log) => (log.topic('copies') === undefined ? 0 : log.bounds('copies', 0).end))
}

async function goesOn(data: string, env = {}): Promise<void> {
  const again = await reprise(argsOf(data, ['--until-end']), { env })
  expect(again.code, again.stderr).toBe(0)
  expect(JSON.parse(again.stdout)).toMatchObject({ in: records, out: { copies: records } })
  expect(digestOf(again)).toBe(undisturbed)
}

function digestOf({ stdout }: { stdout: string }): string {
  return JSON.parse(stdout).outputDigest
}
