import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { openJobFile } from '../../deploy/load-job-file.ts'
import { silentLogger } from '../../engine/ports/world.ts'
import { reprise } from './command-line.ts'
import { persistently, ServerProcess } from './server-process.ts'
import { numbers, windowed } from './server-under-test.ts'

const dir = mkdtempSync(join(tmpdir(), 'reprise-backup-'))
symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(dir, 'node_modules'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const batch = 20
/** Checkpoints all the time: what is in a copy of two moments would not fit together. */
const flags = ['--set', 'checkpointEveryMs=5', '--quiet']

const send = ({ api }: ServerProcess, from: number, to: number) =>
  api.post(`/api/v1/topics/numbers/records?time=at&producer=feed&sequence=${from}`, numbers(from, to))

async function deploy({ api }: ServerProcess): Promise<void> {
  const file = join(dir, 'job.ts')
  writeFileSync(file, windowed('10s', 'numbers'))
  const { bundle } = await openJobFile(file, silentLogger)
  await api.post('/api/v1/versions', { bundle, createTopics: true })
}

/** All windows that the first `sent` records close. */
async function windowsOf({ api }: ServerProcess, sent: number): Promise<unknown[]> {
  const closed = Math.floor((sent - 1) / 10)
  return persistently(async () => {
    const { items } = await api.get<{ items: { value: unknown }[] }>('/api/v1/topics/numbers-out/records?limit=10000')
    if (items.length < closed) throw new Error(`${items.length} of ${closed}: ${JSON.stringify(await api.get('/api/v1/jobs/numbers'))}`)
    return items.map(({ value }) => value)
  }, 20_000)
}

test('a backup made while a job works is a data directory with which it goes on exactly there', { timeout: 120_000 }, async () => {
  const server = await ServerProcess.on(join(dir, 'data'), flags)
  await server.start()
  await send(server, 0, batch)
  await deploy(server)
  let sent = batch
  let over = false
  const feed = (async () => {
    for (; !over; sent += batch) await send(server, sent, sent + batch)
  })()
  const copies: string[] = []
  for (const name of ['first', 'second']) {
    const at = sent
    await persistently(async () => expect(sent).toBeGreaterThan(at + 10 * batch))
    const { code, stdout, stderr } = await reprise(['backup', '--server', server.url, '--to', join(dir, name), '--json'])
    expect([code, stderr]).toEqual([0, ''])
    expect(JSON.parse(stdout)).toEqual({ directory: join(dir, name), bytes: expect.any(Number) })
    copies.push(join(dir, name))
  }
  over = true
  await feed
  const all = await windowsOf(server, sent)
  expect(all).toEqual(Array.from({ length: Math.floor((sent - 1) / 10) }, (_, i) => ({ start: 1_700_000_000_000 + i * 10_000, count: 10 })))
  await server.stop()
  expect(readdirSync(join(dir, 'data')).sort()).toEqual(['checkpoints', 'log', 'spill'])
  for (const copy of copies) {
    expect(readdirSync(copy).sort()).toEqual(['checkpoints', 'log'])
    expect((await reprise(['log', 'verify', '--data', copy])).stdout).toContain('no damage')
    const restored = await ServerProcess.on(copy, flags)
    await restored.start()
    const { end } = await restored.api.get<{ end: string }>('/api/v1/topics/numbers/records?limit=1')
    expect(Number(end)).toBeGreaterThan(batch)
    await send(restored, Number(end), sent)
    expect(await windowsOf(restored, sent)).toEqual(all)
    expect((await restored.stop()).code).toBe(0)
  }
})

test('a backup of a directory that no process has open can be started from', async () => {
  const [data, copy] = [join(dir, 'still'), join(dir, 'still-copy')]
  writeFileSync(
    join(dir, 'numbers.ndjson'),
    numbers(0, 35)
      .map((value) => `${JSON.stringify(value)}\n`)
      .join(''),
  )
  writeFileSync(join(dir, 'still.ts'), windowed('10s', 'numbers'))
  const run = (directory: string, until: string) =>
    reprise(['run', join(dir, 'still.ts'), '--data', directory, '--ingest', `numbers=${join(dir, 'numbers.ndjson')}`, until])
  const first = await run(data, '--until-end')
  expect([first.code, first.stderr.includes('error')]).toEqual([0, false])
  const { code, stderr, stdout } = await reprise(['backup', '--data', data, '--to', copy])
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toContain(`reprise log verify --data ${copy}`)
  const [original, restored] = [await run(data, '--complete'), await run(copy, '--complete')]
  expect(restored.code).toBe(0)
  expect(original.code).toBe(0)
  const valuesIn = async (directory: string) => {
    const { stdout } = await reprise(['log', 'tail', 'numbers-out', '--data', directory, '-o', 'beginning', '--json'])
    return stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line).value)
  }
  expect(await valuesIn(copy)).toEqual(await valuesIn(data))
  expect(await valuesIn(copy)).toHaveLength(4)
})

test('a backup goes to a directory of its own, and only there', async () => {
  const server = await ServerProcess.on(join(dir, 'another'), ['--quiet'])
  await server.start()
  const full = join(dir, 'full')
  mkdirSync(join(full, 'mine'), { recursive: true })
  mkdirSync(join(dir, 'begun.unfinished'))
  writeFileSync(join(dir, 'a-file'), '')
  const to = async (directory: string) => {
    const { code, stderr } = await reprise(['backup', '--server', server.url, '--to', directory])
    return [code, /FILE_UNWRITABLE|REQUEST_INVALID/.exec(stderr)?.[0]]
  }
  expect(await to(full)).toEqual([1, 'FILE_UNWRITABLE'])
  expect(await to(join(dir, 'begun'))).toEqual([1, 'FILE_UNWRITABLE'])
  expect(await to(join(dir, 'a-file'))).toEqual([1, 'FILE_UNWRITABLE'])
  await expect(server.api.post('/api/v1/backups', { to: 'relative' })).rejects.toMatchObject({ code: 'REQUEST_INVALID' })
  mkdirSync(join(dir, 'empty'))
  expect(await to(join(dir, 'empty'))).toEqual([0, undefined])
  expect(readdirSync(full)).toEqual(['mine'])
  expect((await reprise(['backup', '--data', join(dir, 'another'), '--to', join(dir, 'locked')])).stderr).toContain('LOG_LOCKED')
  expect((await reprise(['backup', '--data', join(dir, 'nothing'), '--to', join(dir, 'none')])).stderr).toContain('FILE_UNREADABLE')
  expect(readdirSync(dir)).not.toContain('nothing')
  await server.stop()
})
