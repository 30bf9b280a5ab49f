import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { reprise } from './fake-terminal.ts'

/** Says of a date that came through an exchange, and of one that came out of state, whether it is of the job's own kind and what its local hour is. */
const visits = `
import { defineJob, json, output, topic, value } from 'reprise'
const visits = topic('visits', { codec: 'json', eventTime: (visit: any) => visit.at, key: (visit: any) => visit.who })
const seen = topic('seen', { codec: 'json', key: (row: any) => row.who })
const told = (date: Date | undefined) => date && { own: date.constructor === Date, hour: date.getHours() }
export default defineJob('visits', (job) => {
  job
    .from(visits)
    .map((visit: any) => ({ who: visit.who, date: new Date(visit.at) }))
    .keyBy('by-who', (visit: any) => visit.who)
    .process('last', {
      state: { last: value<Date>() },
      output: output<unknown>(),
      order: 'arrival',
      onRecord({ state, key, emit }: any, { date }: any) {
        emit({ who: key, sent: told(date), kept: told(state.last.get()) })
        state.last.put(date)
      },
    })
    .to(seen)
})
`

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'reprise-dates-'))
  await writeFile(path.join(folder, 'visits.ts'), visits)
  vi.stubEnv('TZ', 'America/New_York')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(folder, { recursive: true })
})

test('dates that come back from an exchange or out of state are those of job code: in UTC, whatever the time zone of the process', async () => {
  for (const hour of [3, 4]) {
    const file = path.join(folder, `${hour}.ndjson`)
    await writeFile(file, `${JSON.stringify({ who: 'ann', at: Date.UTC(2026, 0, 1, hour) })}\n`)
    // A clean stop, so that the second run finds its state in a checkpoint.
    await reprise(`run ${folder}/visits.ts --data ${folder}/data --parallelism 2 --ingest visits=${file} --until-end`)
  }
  const { out } = await reprise(`log tail seen --data ${folder}/data -o beginning --json`)
  const rows = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).value)
  expect(rows).toEqual([
    { who: 'ann', sent: { own: true, hour: 3 } },
    { who: 'ann', sent: { own: true, hour: 4 }, kept: { own: true, hour: 3 } },
  ])
})
