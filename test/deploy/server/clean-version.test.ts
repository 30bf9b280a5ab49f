import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { cleanVersion } from '../../../deploy/server/clean-version.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'
import { SimClock } from '../../support/sim-clock.ts'

const directory = mkdtempSync(path.join(tmpdir(), 'reprise-clean-'))
afterAll(() => rmSync(directory, { recursive: true }))

test('what an interrupted clean has left goes with the next one, and nothing of other versions', async () => {
  const log = new MemoryLog({ clock: new SimClock() })
  // Its first task was forgotten when the process ended, and one never began.
  const others = ['job.v10.task-0', 'job.v2.task-0', 'other-job.v1.task-0', 'http:events']
  for (const id of ['job.v1.task-1', 'job.v1.task-3', ...others]) await log.producer(id)
  await log.createTopic({ name: 'job.v1.journal', partitions: 4, kind: 'internal' })
  await log.createTopic({ name: 'job.v10.journal', partitions: 4, kind: 'internal' })
  await cleanVersion(log, directory, 'job', 1, () => {})
  expect([...log.producers()].sort()).toEqual([...others].sort())
  expect(log.topics().map(({ name }) => name)).toEqual(['job.v10.journal'])
})
