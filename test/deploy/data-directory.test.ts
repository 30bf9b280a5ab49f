import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { DataDirectory } from '../../deploy/data-directory.ts'
import { withExistingLog, withFollowedLog, withLogView } from '../../deploy/open-existing-log.ts'
import { TopicAppender } from '../../deploy/topic-appender.ts'
import { noProbe, silentLogger } from '../../engine/ports/world.ts'

const made: string[] = []
const open = (directory: string) => DataDirectory.open({ directory, logger: silentLogger, probe: noProbe, memoryBytesMax: 1 << 20 })

async function directoryOf(checkpoint: boolean): Promise<string> {
  const data = await mkdtemp(path.join(tmpdir(), 'reprise-data-'))
  made.push(data)
  const folder = path.join(data, 'checkpoints', 'orders.v1.task-0')
  await mkdir(folder, { recursive: true })
  if (checkpoint) await writeFile(path.join(folder, '1.manifest'), '{}')
  return data
}

afterAll(async () => {
  for (const directory of made) await rm(directory, { recursive: true })
})

test('only a process that leads jobs lets old records go: another one keeps nothing for jobs that need them', async () => {
  const startAfter = async (leadsJobs: boolean) => {
    const directory = await directoryOf(false)
    const log = { housekeepingEveryMs: 5 }
    const data = await DataDirectory.open({ directory, logger: silentLogger, probe: noProbe, memoryBytesMax: 0, log, leadsJobs })
    await data.log.createTopic({ name: 'in', partitions: 1, kind: 'stream', retentionMs: 1 })
    await new TopicAppender(data.log, 'in', 'p').append([{ key: null, value: Buffer.from('1'), eventTime: 0 }])
    const start = () => data.log.bounds('in', 0).start
    if (leadsJobs) await expect.poll(start).toBe(1)
    else await new Promise((resolve) => setTimeout(resolve, 200))
    const found = start()
    await data.close()
    return found
  }
  expect([await startAfter(true), await startAfter(false)]).toEqual([1, 0])
})

describe('a data directory whose log is gone', () => {
  const gone = {
    code: 'LOG_CORRUPT',
    details: { reason: expect.stringContaining(path.join('checkpoints', 'orders.v1.task-0', '1.manifest')) },
  }

  test('is refused while checkpoints are left: they can not be of a log that was never begun', async () => {
    const data = await directoryOf(true)
    await expect(open(data)).rejects.toMatchObject(gone)
    await mkdir(path.join(data, 'log'), { recursive: true })
    for (const look of [withExistingLog, withLogView, withFollowedLog]) await expect(look(data, async () => {})).rejects.toMatchObject(gone)
  })

  test('begins anew where no checkpoint is', async () => {
    const data = await directoryOf(false)
    await (await open(data)).close()
  })
})
