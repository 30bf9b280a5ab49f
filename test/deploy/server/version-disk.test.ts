import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { diskUseOf } from '../../../deploy/server/version-disk.ts'
import { EmbeddedLog } from '../../../engine/log/embedded/embedded-log.ts'
import { largeBlock, streamTopic, Writer } from '../../contract/log/records.ts'
import { SimClock } from '../../support/sim-clock.ts'
import { SimDisk } from '../../support/sim-fs.ts'

const directory = mkdtempSync(path.join(tmpdir(), 'reprise-disk-'))
afterAll(() => rmSync(directory, { recursive: true }))

test('counts the files and the topics of one version, and none of another', async () => {
  const log = await EmbeddedLog.open({ fs: new SimDisk(1).mount(), clock: new SimClock() })
  expect(await diskUseOf(log, directory, 'job', 1)).toEqual({ state: 0, topics: 0 })
  const writer = await Writer.open(log)
  const sizes = { 'job.v1.private.rows': 1000, 'job.v1.journal': 200, 'job.v10.private.rows': 5000, rows: 7000, 'job.dead-letters': 900 }
  let blocks = 0
  for (const [name, bytes] of Object.entries(sizes)) {
    const block = largeBlock(bytes)
    if (name.startsWith('job.v1.')) blocks += block.length
    await writer.send({ topic: await streamTopic(log, name), partition: 0, block })
  }
  file('checkpoints/job.v1.task-0/base-1', 300)
  file('spill/job.v1.task-0/db/000001.ldb', 40)
  file('spill/job.v1.task-1/db/deeper/LOG', 5)
  file('spill/job.v10.task-0/db/000001.ldb', 60_000)
  file('checkpoints/other-job.v1.task-0/base-1', 60_000)
  expect(await diskUseOf(log, directory, 'job', 1)).toEqual({ state: 345, topics: blocks })
  await log.close()
})

function file(name: string, bytes: number): void {
  const full = path.join(directory, name)
  mkdirSync(path.dirname(full), { recursive: true })
  writeFileSync(full, Buffer.alloc(bytes))
}
