import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { holderOf } from '../../../engine/log/embedded/directory-lock.ts'
import { reprise } from './fake-terminal.ts'

let folder: string
let data: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'reprise-ingest-'))
  data = path.join(folder, 'data')
})
afterEach(() => rm(folder, { recursive: true }))

const file = async (name: string, ...lines: string[]) => {
  await writeFile(path.join(folder, name), lines.join('\n'))
  return path.join(folder, name)
}
const ingest = async (args: string) => {
  const ran = await reprise(`ingest ${args} --data ${data} --json`)
  return { ...ran, ingested: ran.out === '' ? undefined : JSON.parse(ran.out).ingested }
}
const tail = async (topic: string) => {
  const { out } = await reprise(`log tail ${topic} --data ${data} -o beginning --json`)
  return out
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

test('a file goes into a topic that is made for it, keyed and timed by its fields', async () => {
  const flights = await file('flights.ndjson', '{"from":"JFK","at":1000}', '{"from":7,"at":"2026-01-01T00:00:00Z"}')
  expect(await ingest(`flights=${flights} --key from --event-time at --partitions flights=3 --kind table`)).toMatchObject({
    exit: 0,
    ingested: [{ topic: 'flights', added: 2, skipped: 0, refused: 0 }],
  })
  const found = (await tail('flights')).map(({ key, eventTime }) => [key, eventTime])
  expect(found.sort()).toEqual([
    ['7', '2026-01-01T00:00:00.000Z'],
    ['JFK', '1970-01-01T00:00:01.000Z'],
  ])
  const { topics } = JSON.parse((await reprise(`topics --data ${data} --json`)).out)
  expect(topics).toMatchObject([{ name: 'flights', kind: 'table', partitions: [{}, {}, {}] }])
})

test('the same file again, under another name too, adds nothing; several files go in by one call', async () => {
  const a = await file('a.ndjson', '{"n":1}', '{"n":2}')
  const copy = await file('copy.ndjson', '{"n":1}', '{"n":2}')
  const b = await file('b.csv', 'n', '3')
  await ingest(`t=${a}`)
  expect((await ingest(`t=${a} t=${copy} t=${b}`)).ingested).toMatchObject([
    { added: 0, skipped: 2 },
    { added: 0, skipped: 2 },
    { added: 1, skipped: 0 },
  ])
  expect((await tail('t')).map(({ value }) => value.n)).toEqual([1, 2, 3])
})

const mixed = ['{"id":"a","at":1}', '{"id":', '{"at":2}', '{"id":"c","at":"soon"}', '{"id":"d","at":4}']

test('a line that is no record fails, or is left out, said with its place, and counted', async () => {
  const name = await file('mixed.ndjson', ...mixed)
  const args = `t=${name} --key id --event-time at`
  expect(await ingest(args)).toMatchObject({ exit: 1, out: '', err: expect.stringContaining('"line":2') })
  const { out, err } = await reprise(`ingest ${args} --on-bad skip --data ${data}`)
  expect(out.split('\n')[1]).toMatch(/ 2 +0 +3$/)
  expect(
    err
      .trim()
      .split('\n')
      .map((line) => line.replace(`${name}:`, '').slice(0, 30)),
  ).toEqual([
    expect.stringMatching(/^refused 2 {2}RECORD_MALFORMED/),
    expect.stringMatching(/^refused 3 {2}KEY_INVALID/),
    expect.stringMatching(/^refused 4 {2}EVENT_TIME_INVALID/),
  ])
  expect((await ingest(`${args} --on-bad skip`)).ingested).toMatchObject([{ added: 0, skipped: 2, refused: 3 }])
  expect((await tail('t')).map(({ key }) => key)).toEqual(['a', 'd'])
})

test('a run leaves such lines out too, and says how many', async () => {
  const name = await file('mixed.ndjson', ...mixed)
  const job = await file(
    'job.ts',
    `import { defineJob, topic } from 'reprise'
export default defineJob('copy', (job) => { job.from(topic('t', { codec: 'json' })).to(topic('u', { codec: 'json' })) })`,
  )
  expect(await reprise(`run ${job} --data ${data} --ingest t=${name} --until-end`)).toMatchObject({
    exit: 1,
    err: expect.stringContaining('line: 2'),
  })
  const { out, err } = await reprise(`run ${job} --data ${data} --ingest t=${name} --until-end --on-bad skip --json`)
  expect(JSON.parse(out)).toMatchObject({ refused: 1, in: 4, processed: 4 })
  expect(JSON.parse(err.trim().split('\n')[0]!)).toEqual({
    refused: { file: name, line: 2, code: 'RECORD_MALFORMED', reason: expect.any(String) },
  })
})

test("topics that are a job's own or its outputs, or sources of a job whose input is complete, take nothing", async () => {
  const a = await file('a.ndjson', '{"n":1}')
  const job = await file(
    'job.ts',
    `import { defineJob, topic } from 'reprise'
export default defineJob('copy', (job) => { job.from(topic('t', { codec: 'json' })).to(topic('u', { codec: 'json' })) })`,
  )
  const b = await file('b.ndjson', '{"n":2}')
  await reprise(`run ${job} --data ${data} --ingest t=${b} --complete`)
  for (const [topic, exit, code] of [
    ['t', 3, 'JOB_SEALED'],
    ['u', 3, 'OUTPUT_OWNED'],
    ['copy.v1.journal', 1, 'TOPIC_NAME_INVALID'],
    ['copy.v2', 1, 'TOPIC_NAME_INVALID'],
    ['copy.control', 1, 'TOPIC_NAME_INVALID'],
    ['copy.dead-letters', 1, 'TOPIC_NAME_INVALID'],
    ['copy.late', 1, 'TOPIC_NAME_INVALID'],
  ] as const) {
    const ran = await ingest(`new=${a} ${topic}=${a}`)
    expect([topic, ran.exit, JSON.parse(ran.err).error.code]).toEqual([topic, exit, code])
  }
  expect(await tail('new')).toEqual([])
  expect(JSON.parse((await ingest(`t=${b}`)).out).ingested).toMatchObject([{ skipped: 1, added: 0 }])
})

test.each([
  ['t', 2, 'is not topic=file'],
  ['t=-', 2, '--source-id'],
  ['t=FILE t=FILE --source-id x', 2, 'one file in at a time'],
  ['t=- u=- --source-id x', 2, 'standard input is named twice'],
  ['t=FILE --partitions u=2', 2, 'no file goes to it'],
  ['t=FILE --on-bad ignore', 2, 'Allowed choices are fail, skip'],
  ['t=nowhere.ndjson', 5, 'FILE_UNREADABLE'],
])('ingest %s fails with exit code %i', async (args, exit, text) => {
  const a = await file('a.ndjson', '{"n":1}')
  expect(await reprise(`ingest ${args.replaceAll('FILE', a)} --data ${data}`)).toMatchObject({
    exit,
    out: '',
    err: expect.stringContaining(text),
  })
})

test('other partitions than the topic has are a conflict', async () => {
  const a = await file('a.ndjson', '{"n":1}')
  await ingest(`t=${a}`)
  expect(await ingest(`t=${a} --partitions t=2`)).toMatchObject({ exit: 3, err: expect.stringContaining('TOPIC_EXISTS') })
})

test('what trickles in on standard input outlives a kill of the process, and is not taken in twice', async () => {
  const args = ['--import', 'tsx', 'deploy/cli/main.ts', 'ingest', 't=-', '--data', data, '--source-id', 'pipe', '--json']
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'inherit'] })
  child.stdin.write('{"n":1}\n{"n":2}\n')
  // Looking in only once the child holds the directory: whoever opens it first is its writer.
  await expect.poll(() => holderOf(path.join(data, 'log')).catch(() => undefined), { timeout: 60_000 }).toBeDefined()
  await expect.poll(async () => (await reprise(`log tail t --data ${data}`)).out, { timeout: 60_000 }).toContain('{"n":2}')
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect((await tail('t')).map(({ value }) => value.n)).toEqual([1, 2])
  const again = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  again.stdin.end('{"n":1}\n{"n":2}\n{"n":3}\n')
  const [out] = await Promise.all([again.stdout.toArray(), once(again, 'exit')])
  expect(JSON.parse(Buffer.concat(out).toString()).ingested).toMatchObject([{ skipped: 2, added: 1 }])
})
