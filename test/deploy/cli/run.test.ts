import { rmSync } from 'node:fs'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runProgram } from '../../../deploy/cli/program.ts'
import { holderOf } from '../../../engine/log/embedded/directory-lock.ts'
import { reprise } from './fake-terminal.ts'

const copying = `
import { defineJob, topic } from 'reprise'
const numbers = topic('numbers', { codec: 'json' })
export default defineJob('copying', (job) => {
  job.from(numbers).to(topic('copies', { codec: 'json' }))
})
`

let folder: string
let job: string
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'reprise-run-'))
  job = path.join(folder, 'copying.ts')
  await writeFile(job, copying)
  await writeFile(path.join(folder, 'numbers.ndjson'), '1\n2\n')
  await writeFile(path.join(folder, 'broken.ndjson'), '1\n2,\n')
})
afterAll(() => rm(folder, { recursive: true }))

test('a file whose name does not say what is in it is read as --format says', async () => {
  await writeFile(path.join(folder, 'numbers.txt'), '1\n2\n')
  const run = (flags: string) => reprise(`run ${job} --data ${folder}/c --ingest numbers=${folder}/numbers.txt --until-end --json ${flags}`)
  expect(await run('')).toMatchObject({ exit: 2, err: expect.stringContaining('--format') })
  expect(JSON.parse((await run('--format ndjson')).out)).toMatchObject({ in: 2, out: { copies: 2 } })
})

test("cells of a .csv file are read by the topic's schema: what looks like a number is text where the schema says so", async () => {
  const people = path.join(folder, 'people.ts')
  await symlink(path.resolve(import.meta.dirname, '../../../node_modules'), path.join(folder, 'node_modules'))
  await writeFile(
    people,
    `import { defineJob, topic } from 'reprise'
import { z } from 'zod'
const people = topic('people', { value: z.object({ zip: z.string(), age: z.number() }) })
export default defineJob('people', (job) => { job.from(people).to(topic('copies', { codec: 'json' })) })`,
  )
  await writeFile(path.join(folder, 'people.csv'), 'zip,age\n12345,40\n00501,7.50\n')
  expect(await reprise(`run ${people} --data ${folder}/e --ingest people=${folder}/people.csv --until-end`)).toMatchObject({ exit: 0 })
  const { out } = await reprise(`log tail copies --data ${folder}/e --json`)
  const values = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).value)
  expect(values).toEqual([
    { zip: '12345', age: 40 },
    { zip: '00501', age: 7.5 },
  ])
})

describe('a run that can not be as it was asked for is refused', () => {
  test.each([
    ['--data $/a --partitions numers=2', 5, 'TOPIC_UNKNOWN', 'the job reads numbers'],
    ['--data $/a --ingest numers=$/numbers.ndjson', 5, 'TOPIC_UNKNOWN', 'the job reads numbers'],
    ['--data $/a --ingest numbers=$/numbers.ndjson --source-id mine', 2, 'USAGE', '--ingest topic=-'],
    ['--data $/a --ingest numbers=- --ingest numbers=- --source-id x', 2, 'USAGE', 'read once'],
    ['--data $/a --set stepMs=soon', 2, 'USAGE', 'stepMs is a number from 0 to 1000'],
    ['--data $/a --set chunkBytes=1.5', 2, 'USAGE', 'chunkBytes is a whole number above 0 up to 8388608'],
    ['--data $/a --set toString=1', 2, 'USAGE', 'one of sliceRecordsMax'],
    ['--data $/a --set __proto__=1', 2, 'USAGE', 'one of sliceRecordsMax'],
    ['--data $/copying.ts', 1, 'FILE_UNWRITABLE', 'name a directory'],
    ['--data $/a --ingest numbers=$/none.ndjson', 5, 'FILE_UNREADABLE', 'check its name'],
    ['--data $/none-yet --metrics-file $/none/metrics.prom', 1, 'FILE_UNWRITABLE', 'a directory that is there'],
    ['--data $/none-yet --metrics-file $/copying.ts/metrics.prom', 1, 'FILE_UNWRITABLE', 'a directory that is there'],
    ['--data $/a --ingest numbers=$/broken.ndjson', 1, 'RECORD_MALFORMED', '--on-bad skip'],
  ])('%s', async (flags, exit, code, fix) => {
    const ran = await reprise(`run ${job} ${flags.replaceAll('$', folder)} --until-end`)
    expect(ran).toMatchObject({ exit, out: '' })
    expect(ran.err).toMatch(new RegExp(`^error ${code}: .*^ {2}fix [^\n]*${fix}`, 'ms'))
  })

  test('with other partitions than the topic has', async () => {
    const run = (flags: string) => reprise(`run ${job} --data ${folder}/b --until-end ${flags}`)
    expect((await run('--partitions numbers=2')).exit).toBe(0)
    expect((await run('--partitions numbers=2')).exit).toBe(0)
    expect(await run('--partitions numbers=3')).toMatchObject({ exit: 3, err: expect.stringContaining('TOPIC_EXISTS') })
  })
})

test('a run whose metrics can not be written any more says so, ends with its summary, and leaves the directory to others', async () => {
  const metrics = path.join(folder, 'metrics')
  await mkdir(metrics)
  const texts = { out: '', err: '' }
  const output = (name: 'out' | 'err') => ({ live: false, columns: 80, write: (text: string) => void (texts[name] += text) })
  const err = {
    ...output('err'),
    write(text: string) {
      texts.err += text
      if (text.startsWith('refused')) rmSync(metrics, { recursive: true })
    },
  }
  const args = `run ${job} --data ${folder}/m --ingest numbers=${folder}/broken.ndjson --on-bad skip --until-end --metrics-file ${metrics}/run.prom`
  expect(await runProgram(args.split(' '), { out: output('out'), err, env: {} })).toBe(0)
  expect(texts).toEqual({
    out: expect.stringContaining('output digest'),
    err: expect.stringMatching(/metrics not written.*FILE_UNWRITABLE/),
  })
  expect(await holderOf(path.join(folder, 'm', 'log'))).toBeUndefined()
})

describe('what a job writes is its own', () => {
  const jobFile = async (name: string, from: string, to: string) => {
    const file = path.join(folder, `${name}.ts`)
    await writeFile(file, copying.replace("'copying'", `'${name}'`).replace("'copies'", `'${to}'`).replace("'numbers'", `'${from}'`))
    return file
  }
  const run = (file: string, flags = '') => reprise(`run ${file} --data ${folder}/owned --until-end --json ${flags}`)

  test('another job does not write it, and is not registered; nor does one that reads it take a file into it', async () => {
    expect(await run(job, `--ingest numbers=${folder}/numbers.ndjson`)).toMatchObject({ exit: 0 })
    const thief = await run(await jobFile('thief', 'numbers', 'copies'))
    expect(thief).toMatchObject({ exit: 3, out: '' })
    expect(JSON.parse(thief.err).error).toMatchObject({ code: 'OUTPUT_OWNED', details: { topic: 'copies', job: 'copying' } })
    const reader = await jobFile('reader', 'copies', 'more')
    expect(await run(reader, `--ingest copies=${folder}/numbers.ndjson`)).toMatchObject({
      exit: 3,
      err: expect.stringContaining('OUTPUT_OWNED'),
    })
    expect(JSON.parse((await run(reader)).out)).toMatchObject({ in: 2, out: { more: 2 } })
    const { topics } = JSON.parse((await reprise(`topics --all --data ${folder}/owned --json`)).out)
    expect(topics.map(({ name }: { name: string }) => name)).not.toContain('thief.control')
  })
})
