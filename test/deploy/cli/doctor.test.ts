import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Check } from '../../../deploy/doctor.ts'
import { realClock } from '../../../deploy/real-clock.ts'
import { BlockBuilder } from '../../../engine/block/block-builder.ts'
import { segmentFileName } from '../../../engine/log/embedded/file-names.ts'
import { openEmbeddedLog } from '../../../engine/log/embedded/open-embedded-log.ts'
import { formatVersion } from '../../../state/checkpoint/blocks.ts'
import { type Manifest, manifestBytes, manifestName } from '../../../state/checkpoint/manifest.ts'
import { reprise } from './fake-terminal.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'reprise-doctor-'))
})
afterEach(() => rm(directory, { recursive: true }))

test('a machine without a data directory is well, and is left as it was', async () => {
  const { exit, out } = await reprise(`doctor --data ${directory}/data`)
  expect(exit).toBe(0)
  for (const name of ['versions', 'machine', 'clock', 'disk', 'sync', 'data']) expect(out).toMatch(new RegExp(`^. {2}${name} `, 'm'))
  expect(out).toContain('holds no log yet')
  expect(await readdir(directory)).toEqual([])
})

test('numbers stand in the JSON with their units', async () => {
  const checks = await checksOf(directory)
  expect(checks.find(({ name }) => name === 'disk')!.values).toMatchObject({ freeBytes: expect.any(Number), sizeBytes: expect.any(Number) })
  const { p50Ms, maxMs } = checks.find(({ name }) => name === 'sync')!.values as { p50Ms: number; maxMs: number }
  expect(p50Ms).toBeGreaterThan(0)
  expect(maxMs).toBeGreaterThanOrEqual(p50Ms)
})

test('a data directory that opens says how many topics there are', async () => {
  const log = await openLog()
  await log.createTopic({ name: 'a', partitions: 1, kind: 'stream' })
  await log.close()
  expect(dataOf(await checksOf(directory))).toMatchObject({ state: 'ok', values: { exists: true, topics: 1 } })
})

test('checkpoints that are damaged are named; they can be made again, so it is a warning', async () => {
  const log = await openLog()
  await log.close()
  const task = path.join(directory, 'checkpoints', 'job.v1.task-0')
  await mkdir(task, { recursive: true })
  expect((await checksOf(directory)).find(({ name }) => name === 'checkpoints')).toMatchObject({ state: 'ok', values: { whole: 0 } })
  await writeFile(path.join(task, manifestName(1)), 'no manifest')
  const { exit, out } = await reprise(`doctor --data ${directory}`)
  expect(exit).toBe(0)
  expect(out).toMatch(/^! {2}checkpoints .*1 damaged files, the first job\.v1\.task-0\/checkpoint-0+1;/m)
})

test('every block of the log is read', async () => {
  const log = await openLog()
  await log.createTopic({ name: 'a', partitions: 1, kind: 'stream' })
  const builder = new BlockBuilder()
  builder.add({ key: null, value: Buffer.from('some value'), eventTime: 1 })
  const producer = await log.producer('p')
  const block = builder.finish()
  await producer.commit({ expect: producer.end, next: { seq: 1, hash: '' }, appends: [{ topic: 'a', partition: 0, block }] })
  await log.close()
  const check = (await checksOf(directory)).find(({ name }) => name === 'log')!
  expect(check).toMatchObject({ state: 'ok', values: { faults: [] } })
  expect(check.values.bytes).toBeGreaterThan(0)
})

test('a data directory that is in use is well, and stays in use', async () => {
  const log = await openLog()
  try {
    expect(dataOf(await checksOf(directory))).toMatchObject({
      state: 'ok',
      text: expect.stringContaining(`process ${process.pid}`),
      values: { code: 'LOG_LOCKED' },
    })
    await log.createTopic({ name: 'b', partitions: 1, kind: 'stream' })
  } finally {
    await log.close()
  }
})

test('a damaged one fails the check, with exit code 1', async () => {
  const log = await openLog()
  await log.createTopic({ name: 'a', partitions: 1, kind: 'stream' })
  await log.close()
  for (const name of await readdir(path.join(directory, 'log'))) {
    const file = path.join(directory, 'log', name)
    const bytes = await readFile(file)
    bytes[40]! ^= 1
    await writeFile(file, bytes)
  }
  const { exit, out } = await reprise(`doctor --data ${directory}`)
  expect(exit).toBe(1)
  expect(out).toMatch(/^✖ {2}data .*LOG_/m)
  expect(out).toMatch(/^ {4}fix {2}/m)
})

test('a log that ends before a checkpoint does is damaged, to all who look; and nothing is removed from it', async () => {
  const log = await openLog()
  const producer = await log.producer('job.v1.task-0')
  await producer.commit({ expect: producer.end, next: { seq: 4, hash: 'h' }, appends: [] })
  await log.close()
  const task = path.join(directory, 'checkpoints', 'job.v1.task-0')
  await mkdir(task, { recursive: true })
  const point = { seq: 4, hash: 'h', cursor: '', cutAt: 0 }
  const owner = { job: 'job', version: 1, task: 0, fingerprint: 'f', semantics: 1 }
  const manifest: Manifest = { format: formatVersion, number: 1, ...owner, ...point, chain: 0, files: [] }
  await writeFile(path.join(task, manifestName(1)), manifestBytes(manifest))
  expect(await reprise(`log verify --data ${directory}`)).toMatchObject({ exit: 0 })
  expect(await reprise(`topics --data ${directory}`)).toMatchObject({ exit: 0 })
  await writeFile(path.join(task, manifestName(2)), manifestBytes({ ...manifest, number: 2, seq: 5 }))
  // What the list of a newer log file may name.
  await writeFile(path.join(directory, 'log', segmentFileName(99)), 'a segment')
  const before = await readdir(path.join(directory, 'log'))
  for (const look of ['doctor', 'log verify', 'topics', 'log tail a', 'ingest a=- --source-id x']) {
    const { exit, out, err } = await reprise(`${look} --data ${directory}`)
    expect([look, exit, out + err]).toEqual([look, 1, expect.stringMatching(/slice 5 of job\.v1\.task-0, the log ends at slice 4/)])
  }
  expect(await readdir(path.join(directory, 'log'))).toEqual(before)
})

test('a directory that may only be read is looked at all the same; what would write says so with a code', async () => {
  const log = await openLog()
  await log.createTopic({ name: 'a', partitions: 1, kind: 'stream' })
  await log.close()
  // What is loaded when it is needed first may be out of reach for the stranger.
  for (const verb of ['topics', 'log tail a', 'log verify', 'doctor', 'ingest a=none']) await reprise(`${verb} --data ${directory}`)
  const inside = path.join(directory, 'log')
  for (const folder of [directory, inside]) await chmod(folder, 0o755)
  for (const name of await readdir(inside)) await chmod(path.join(inside, name), 0o644)
  const before = await readdir(inside)
  await asStranger(async () => {
    expect(await reprise(`topics --data ${directory}`)).toMatchObject({ exit: 0, out: expect.stringMatching(/^a /m) })
    expect(await reprise(`log tail a --data ${directory}`)).toMatchObject({ exit: 0, err: '' })
    expect(await reprise(`log verify --data ${directory}`)).toMatchObject({ exit: 0 })
    const { exit, out } = await reprise(`doctor --data ${directory}`)
    expect(exit).toBe(1)
    expect(out).toMatch(/^✖ {2}data .*FILE_UNWRITABLE/m)
    expect(out).toMatch(/^✔ {2}log .*no damage/m)
    expect((await reprise(`ingest a=- --source-id x --data ${directory}`)).err).toContain('error FILE_UNWRITABLE')
  })
  expect(await readdir(inside)).toEqual(before)
})

/** As a user that the directory does not belong to. */
async function asStranger(act: () => Promise<void>): Promise<void> {
  const { geteuid, seteuid } = process
  if (geteuid === undefined || seteuid === undefined) return
  const own = geteuid()
  if (own !== 0) await chmod(path.join(directory, 'log'), 0o555)
  else seteuid(65_534)
  try {
    await act()
  } finally {
    if (own === 0) seteuid(0)
    else await chmod(path.join(directory, 'log'), 0o755)
  }
}

function openLog() {
  return openEmbeddedLog({ directory: path.join(directory, 'log'), clock: realClock })
}

async function checksOf(data: string): Promise<Check[]> {
  return JSON.parse((await reprise(`doctor --json --data ${data}`)).out).checks
}

function dataOf(checks: readonly Check[]): Check {
  return checks.find(({ name }) => name === 'data')!
}
