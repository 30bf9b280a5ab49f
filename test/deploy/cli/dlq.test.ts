import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { realClock } from '../../../deploy/real-clock.ts'
import { openEmbeddedLog } from '../../../engine/log/embedded/open-embedded-log.ts'
import { reprise } from './fake-terminal.ts'

/** A refund fails while its order is not known; by arrival, so that a later retry finds what came in between. */
const shop = `
import { defineJob, json, output, topic, value } from 'reprise'
const orders = topic('orders', { codec: 'json', eventTime: (order: any) => order.at, key: (order: any) => order.id, outOfOrderness: '1h' })
const totals = topic('totals', { kind: 'table', codec: 'json', key: (row: any) => row.id })
export default defineJob('shop', { onBad: 'deadLetter' }, (job) => {
  job
    .from(orders)
    .map((order: any) => {
      if (typeof order.amount !== 'number') throw new Error('no amount')
      return { id: order.id, cents: order.amount * 100 }
    })
    .keyBy('by-id', (order: any) => order.id)
    .process('sum', {
      state: { total: value<number>() },
      output: output<unknown>(),
      order: 'arrival',
      onRecord({ state, key, emit }: any, { cents }: any) {
        if (cents < 0 && state.total.get() === undefined) throw new Error('no order to refund')
        state.total.put((state.total.get() ?? 0) + cents)
        emit({ id: key, total: state.total.get() })
      },
    })
    .to(totals)
})
`
const records = [
  '{"id":"a","amount":5,"at":1000}',
  '{"id":"b","amount":-3,"at":1001}',
  '{"id":"c","amount":"12a","at":1002}',
  '{"id":"b","amount":10,"at":1003}',
]

let folder: string
let data: string
let job: string
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'reprise-dlq-'))
  data = path.join(folder, 'data')
  job = path.join(folder, 'shop.ts')
  await writeFile(job, shop)
  await writeFile(path.join(folder, 'orders.ndjson'), records.join('\n'))
})
afterEach(() => rm(folder, { recursive: true }))

const run = async (flags = '--until-end') => JSON.parse((await reprise(`run ${job} --data ${data} ${flags} --json`)).out)
const first = (flags = '--until-end') => run(`--ingest orders=${folder}/orders.ndjson ${flags}`)
const dlq = async (args: string) => {
  const ran = await reprise(`dlq ${args} --data ${data} --json`)
  return { ...ran, data: ran.out === '' ? undefined : JSON.parse(ran.out), error: ran.out === '' ? JSON.parse(ran.err).error : undefined }
}
const listed = async (args = '') =>
  (await dlq(`list shop ${args}`)).data.letters as { id: number; state: string; source: { offset: number }; [field: string]: unknown }[]
const totals = async () => {
  const { out } = await reprise(`log tail totals --data ${data} -o beginning --json`)
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).value)
}

describe('a record that could not be processed', () => {
  test('is shown as it stands in the log, whatever becomes of it as a value', async () => {
    const odd = '{"id":"x","amount":"y","big":12345678901234567890,"huge":1e400,"id":"z"}'
    await writeFile(path.join(folder, 'orders.ndjson'), odd)
    await first()
    for (const args of ['dlq show shop 0', 'dlq show shop 0 --json', 'dlq list shop --json', 'log tail orders --json', 'log tail orders'])
      expect((await reprise(`${args} --data ${data}`)).out, args).toContain(odd)
  })

  test('is listed with its place, code, operator and message, and shown with its own bytes', async () => {
    expect(await first()).toMatchObject({ in: 4, processed: 2, skipped: 0, deadLettered: 2 })
    expect(await listed()).toEqual([
      expect.objectContaining({
        id: 0,
        state: 'open',
        source: { topic: 'orders', partition: 0, offset: 1 },
        code: 'OPERATOR_THREW',
        path: '$',
        operator: 'sum',
        message: 'Error: no order to refund',
        original: true,
      }),
      expect.objectContaining({ id: 1, source: { topic: 'orders', partition: 0, offset: 2 }, message: 'Error: no amount' }),
    ])
    const { out } = await reprise(`dlq show shop 1 --data ${data}`)
    expect(out).toContain(records[2])
    expect(out).toMatch(/^source +orders\/0@2$/m)
    const list = (await reprise(`dlq list ${job} --data ${data}`)).out.split('\n')
    expect(list[0]).toMatch(/^ID +SOURCE +ERROR +FIELD +OPERATOR +SET ASIDE +MESSAGE$/)
    expect(list[1]).toMatch(/^0 +orders\/0@1 +OPERATOR_THREW +\$ +sum +\d{4}-.*Z +Error: no order to refund$/)
  })

  test('is listed and shown while the directory is in use, but not decided', async () => {
    await reprise(`run ${job} --data ${data} --ingest orders=${folder}/orders.ndjson --until-end`)
    const looks = [`dlq list shop --data ${data}`, `dlq show shop 0 --data ${data}`]
    const alone = [await reprise(looks[0]!), await reprise(looks[1]!)]
    expect(alone).toMatchObject([{ exit: 0 }, { exit: 0 }])
    const log = await openEmbeddedLog({ directory: path.join(data, 'log'), clock: realClock })
    try {
      expect([await reprise(looks[0]!), await reprise(looks[1]!)]).toEqual(alone)
      expect(await reprise(`dlq retry shop 0 --data ${data}`)).toMatchObject({ exit: 3, err: expect.stringContaining('LOG_LOCKED') })
    } finally {
      await log.close()
    }
  })

  test('succeeds at its retry when what it lacked has come, and is set aside anew when it fails again', async () => {
    await first()
    expect((await dlq('retry shop --all --error OPERATOR_THREW')).data).toMatchObject({ retried: [0, 1] })
    expect(await listed()).toEqual([])
    const summary = await run()
    expect(summary).toMatchObject({ in: 6, processed: 3, skipped: 0, deadLettered: 3 })
    expect(summary.in).toBe(summary.processed + summary.skipped + summary.deadLettered)
    expect((await totals()).at(-1)).toEqual({ id: 'b', total: 700 })
    const all = await listed('--all')
    expect(all.map(({ id, state, source }) => [id, state, source.offset])).toEqual([
      [0, 'retried', 1],
      [1, 'retried', 2],
      [2, 'open', 2],
    ])
    expect(all[2]!.value).toEqual(all[1]!.value)
  })

  test('is retried once, however often that is asked for', async () => {
    await first()
    expect((await dlq('retry shop 0 0')).data).toMatchObject({ retried: [0], already: [] })
    expect((await dlq('retry shop 0')).data).toMatchObject({ retried: [], already: [{ id: 0, type: 'retried' }] })
    expect((await dlq('retry shop --all')).data).toMatchObject({ retried: [1] })
    expect((await dlq('retry shop --all')).data).toMatchObject({ retried: [] })
    expect(await run()).toMatchObject({ in: 6 })
    expect(await run()).toMatchObject({ in: 6 })
  })

  test('is left alone by a dry run', async () => {
    await first()
    expect((await dlq('retry shop --all --dry-run')).data).toMatchObject({ dryRun: true, retried: [0, 1] })
    expect((await dlq('drop shop 0 --dry-run')).data).toMatchObject({ dryRun: true, dropped: [0] })
    expect(await listed()).toHaveLength(2)
    expect(await run()).toMatchObject({ in: 4 })
  })

  test('is dropped when somebody confirms it, stays to be looked at, and is not retried afterwards', async () => {
    await first()
    const drop = `dlq drop shop 0 --data ${data}`
    expect(await reprise(drop)).toMatchObject({ exit: 6, out: '', err: expect.stringContaining('--yes') })
    for (const answer of ['', 'n', 'yesterday']) expect(await reprise(drop, { answer })).toMatchObject({ exit: 6, out: '' })
    expect(await listed()).toHaveLength(2)
    expect(await reprise(drop, { answer: 'y' })).toMatchObject({ exit: 0, err: expect.stringContaining('Drop 1 record of shop? [y/N]') })
    expect((await dlq('drop shop 1 --yes')).data).toMatchObject({ dropped: [1] })
    expect(await listed()).toEqual([])
    expect((await listed('--all')).map(({ state }) => state)).toEqual(['dropped', 'dropped'])
    expect((await dlq('retry shop 0')).data).toMatchObject({ retried: [], already: [{ id: 0, type: 'dropped' }] })
    expect(await run()).toMatchObject({ in: 4 })
  })

  test('of a job whose input is complete can be dropped, but not retried', async () => {
    await first('--complete')
    expect(await dlq('retry shop --all')).toMatchObject({ exit: 3, error: { code: 'JOB_SEALED' } })
    expect(await dlq('retry shop 0 --dry-run')).toMatchObject({ exit: 3 })
    expect((await dlq('drop shop --all --yes')).data).toMatchObject({ dropped: [0, 1] })
  })

  test('in a later stage of parallel tasks is retried as the source record it was, by the stage that reads the source', async () => {
    // Source records ended well in their own stage; what failed after it is told beside them.
    expect(await first('--until-end --parallelism 2')).toMatchObject({
      in: 4,
      processed: 3,
      deadLettered: 1,
      derived: { skipped: 0, deadLettered: 1 },
    })
    const { out } = await reprise(`run ${job} --data ${data} --until-end`)
    expect(out).toMatch(/^dead-lettered +1 +and 1 derived: /m)
    const [refund] = (await listed()).filter(({ operator }) => operator === 'sum')
    expect(refund).toMatchObject({ source: { offset: 1 }, original: false })
    expect(refund!.value).toEqual({ id: 'b', cents: -300 })
    expect((await dlq(`show shop ${refund!.id}`)).data.sourceValue).toEqual(JSON.parse(records[1]!))
    const shown = (await reprise(`dlq show shop ${refund!.id} --data ${data}`)).out
    expect(shown).toMatch(/^value \(of the operator\) +\{"id":"b","cents":-300\}$/m)
    expect(shown.split('\n')).toContainEqual(expect.stringMatching(/^value \(of the source\) +/))
    expect(shown).toContain(records[1])
    for (const flags of ['', ' --dry-run'])
      expect(await dlq(`retry shop ${refund!.id}${flags}`)).toMatchObject({
        exit: 2,
        error: { code: 'USAGE', fix: expect.stringContaining('job file') },
      })
    expect((await dlq(`retry ${job} ${refund!.id}`)).data).toMatchObject({ retried: [refund!.id] })
    const summary = await run('--until-end --parallelism 2')
    expect(summary.in).toBe(5)
    expect(summary.in).toBe(summary.processed + summary.skipped + summary.deadLettered)
    expect(await totals()).toContainEqual({ id: 'b', total: 700 })
  })
})

test.each([1, 2])('retried when its time has passed, a record is late, and nobody was idle: parallelism %i', async (parallelism) => {
  const failing = `
import { count, defineJob, output, session, sliding, topic, tumbling } from 'reprise'
const orders = topic('orders', { codec: 'json', eventTime: (order: any) => order.at })
const to = (name: string) => topic(name, { codec: 'json' })
export default defineJob('shop', { onBad: 'deadLetter' }, (job) => {
  const keyed = job.from(orders).keyBy('by-id', (order: any) => order.id)
  keyed.process('failing', { output: output<unknown>(), onRecord() { throw new Error('never') } }).to(to('a'))
  keyed.window('tumbling', tumbling('1s')).aggregate({ n: count() }).to(to('b'))
  keyed.window('sliding', sliding('2s', '1s')).aggregate({ n: count() }).to(to('c'))
  keyed.window('session', session('1s')).aggregate({ n: count() }).to(to('d'))
})
`
  await writeFile(job, failing)
  await writeFile(path.join(folder, 'orders.ndjson'), '{"id":"a","at":1000}\n{"id":"a","at":100000}\n')
  const flags = `--until-end --parallelism ${parallelism}`
  await first(flags)
  const [letter] = await listed()
  expect(letter).toMatchObject({ source: { offset: 0 }, operator: 'failing' })
  expect((await dlq(`retry ${job} ${letter!.id}`)).data).toMatchObject({ retried: [letter!.id] })
  expect(await run(flags)).toMatchObject({ late: 4, lateByReason: { late: 4, idle: 0, clock: 0 } })
  const { out } = await reprise(`log tail shop.late --data ${data} -o beginning --json`)
  const late = out.trim().split('\n')
  expect(late.map((line) => Object.fromEntries(JSON.parse(line).headers)['reprise.reason'])).toEqual(['late', 'late', 'late', 'late'])
})

test('a list can be cut short, which is said, and chosen by code', async () => {
  await first()
  expect((await dlq('list shop --limit 1')).data).toMatchObject({ letters: [{ id: 0 }], more: true })
  expect(await listed('--error RECORD_MALFORMED')).toEqual([])
  expect((await reprise(`dlq list shop --data ${data} --limit 1`)).err).toContain('there are more')
})

test.each([
  ['list shpo', 5, 'JOB_UNKNOWN'],
  ['show shop 7', 5, 'DEAD_LETTER_UNKNOWN'],
  ['retry shop 0 7', 5, 'DEAD_LETTER_UNKNOWN'],
  ['retry shop', 2, 'USAGE'],
  ['retry shop 0 --all', 2, 'USAGE'],
  ['retry shop x', 2, 'USAGE'],
  ['list shop --error NO_SUCH', 2, 'USAGE'],
])('dlq %s fails with exit code %i and changes nothing', async (args, exit, code) => {
  await first()
  expect(await dlq(args)).toMatchObject({ exit, error: { code } })
  expect(await listed()).toHaveLength(2)
})
