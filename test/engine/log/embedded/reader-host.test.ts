import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { EmbeddedLog } from '../../../../engine/log/embedded/embedded-log.ts'
import { NodeFileSystem } from '../../../../engine/log/embedded/node-file-system.ts'
import { EmbeddedReaderHost } from '../../../../engine/log/embedded/reader-host.ts'
import { append, numbers, readAll, record, records, streamTopic, values, Writer } from '../../../contract/log/records.ts'
import { realClock } from '../../../support/real-clock.ts'

let directory: string
let log: EmbeddedLog
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reprise-host-'))
  // Small files, so that readers have to go from one to the next.
  log = await EmbeddedLog.open({
    fs: new NodeFileSystem(directory),
    clock: realClock,
    settings: { reserveBytes: 1000, logFileBytes: 20_000, rewriteBacklogBytesMax: 80_000 },
  })
})
afterEach(async () => {
  await log.close()
  await rm(directory, { recursive: true })
})

test('a reader in another thread follows the writer over many files and never sees its clock ahead of a record', async () => {
  await streamTopic(log)
  const writer = await Writer.open(log)
  for (const n of numbers(0, 20)) await writer.send(append('orders', 0, ...records(5 * n, 5 * n + 5)))
  const handle = log.handle()
  const script = JSON.stringify(new URL('./reader-worker.ts', import.meta.url).href)
  const worker = new Worker(`import('tsx/esm/api').then(({ register }) => (register(), import(${script})))`, {
    eval: true,
    workerData: { directory, handle, records: 3000 },
  })
  await once(worker, 'message')
  const answer = once(worker, 'message')
  for (const n of numbers(20, 600)) {
    await writer.send(append('orders', 0, ...records(5 * n, 5 * n + 5)))
    if (n % 50 === 0) await realClock.sleep(20)
  }
  const [{ values: found, broken, moved, looks }] = await answer
  expect(found).toEqual(values(0, 3000))
  expect(broken).toEqual([])
  expect(moved).toBeGreaterThan(20)
  expect(looks).toBeGreaterThan(5)
  await worker.terminate()
})

test('a reader that fell behind by many files finds everything, also what was trimmed, made and deleted meanwhile', async () => {
  await streamTopic(log, 'gone')
  await streamTopic(log, 'orders', 2)
  const writer = await Writer.open(log)
  const host = await EmbeddedReaderHost.attach(log.handle(), { fs: new NodeFileSystem(directory) })
  for (const n of numbers(0, 300)) await writer.send(append('orders', 0, ...records(5 * n, 5 * n + 5)), append('orders', 1, record(n)))
  await log.trim('orders', 0, 700)
  await log.deleteTopic('gone')
  await streamTopic(log, 'new')
  expect(host.bounds('orders', 0)).toEqual({ start: 0, end: 0 })
  expect(await host.refresh()).toBe(true)
  expect(host.topics()).toEqual(log.topics())
  for (const partition of [0, 1]) {
    expect(host.bounds('orders', partition)).toEqual(log.bounds('orders', partition))
    const { start } = log.bounds('orders', partition)
    expect(await readAll(host as never, 'orders', partition, start)).toEqual(await readAll(log, 'orders', partition, start))
  }
  expect(host.producerEnd('writer')).toEqual(writer.end)
  await host.close()
})

test('a wait of a reading thread ends with the next change, with its signal, and with close', async () => {
  await streamTopic(log)
  const writer = await Writer.open(log)
  const host = await EmbeddedReaderHost.attach(log.handle(), { fs: new NodeFileSystem(directory) })
  const change = host.changed(host.changes())
  await writer.send(append('orders', 0, record(1)))
  await change
  expect(host.bounds('orders', 0).end).toBe(1)
  const stop = new AbortController()
  const aborted = host.changed(host.changes(), stop.signal)
  stop.abort()
  await aborted
  const ended = host.changed(host.changes())
  await host.close()
  await ended
})

test('whoever waits for a change hears of the next one, however soon after the last it began to wait', async () => {
  await streamTopic(log)
  const writer = await Writer.open(log)
  const host = await EmbeddedReaderHost.attach(log.handle(), { fs: new NodeFileSystem(directory) })
  await host.refresh()
  for (const n of numbers(0, 120)) {
    const first = host.changed(host.changes())
    await writer.send(append('orders', 0, record(2 * n)))
    await first
    for (let turns = n % 12; turns > 0; turns--) await undefined
    const seen = host.changes()
    const second = host.changed(seen)
    await writer.send(append('orders', 0, record(2 * n + 1)))
    const heard = await Promise.race([second.then(() => true), realClock.sleep(2000).then(() => false)])
    expect([n, heard]).toEqual([n, true])
  }
  await host.close()
})
