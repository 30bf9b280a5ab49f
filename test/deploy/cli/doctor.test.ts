import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Check } from '../../../deploy/doctor.ts'
import { realClock } from '../../../deploy/real-clock.ts'
import { BlockBuilder } from '../../../engine/block/block-builder.ts'
import { openEmbeddedLog } from '../../../engine/log/embedded/open-embedded-log.ts'
import { manifestName } from '../../../state/checkpoint/manifest.ts'
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

function openLog() {
  return openEmbeddedLog({ directory: path.join(directory, 'log'), clock: realClock })
}

async function checksOf(data: string): Promise<Check[]> {
  return JSON.parse((await reprise(`doctor --json --data ${data}`)).out).checks
}

function dataOf(checks: readonly Check[]): Check {
  return checks.find(({ name }) => name === 'data')!
}
