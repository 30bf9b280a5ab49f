import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { realClock } from '../../../deploy/real-clock.ts'
import { BlockBuilder } from '../../../engine/block/block-builder.ts'
import type { EmbeddedLog } from '../../../engine/log/embedded/embedded-log.ts'
import { openEmbeddedLog } from '../../../engine/log/embedded/open-embedded-log.ts'
import type { NewRecord } from '../../../engine/model/record.ts'
import { reprise } from './fake-terminal.ts'

const binary = Buffer.from([0xff, 0x00])

let data: string
beforeAll(async () => {
  data = await mkdtemp(path.join(tmpdir(), 'reprise-log-'))
  const log = await openLog()
  await log.createTopic({ name: 'flights', partitions: 2, kind: 'stream' })
  await log.createTopic({ name: 'journal', partitions: 1, kind: 'internal' })
  await append(
    log,
    'flights',
    0,
    [...Array(12).keys()].map((i) => ({ key: Buffer.from(`k${i}`), value: Buffer.from(`{"n":${i}}`), eventTime: i })),
  )
  await append(log, 'flights', 1, [
    { key: null, value: null, eventTime: Number.NaN },
    { key: binary, value: binary, eventTime: 5, headers: [{ name: 'h', value: Buffer.from('v') }] },
  ])
  await log.close()
})
afterAll(() => rm(data, { recursive: true }))

/** Once the writer has rewritten what it found at the start. */
async function settledLogFiles(): Promise<readonly string[]> {
  for (let before = await logFiles(); ; ) {
    await new Promise((resolve) => setTimeout(resolve, 300))
    const now = await logFiles()
    if (now.join() === before.join()) return now
    before = now
  }
}

describe('topics', () => {
  test('are listed with kind, partitions and records', async () => {
    const { exit, out } = await reprise(`topics --data ${data}`)
    expect([exit, out]).toEqual([0, 'TOPIC    KIND    PARTITIONS  RECORDS  KEEPS\nflights  stream  2           14       all\n'])
  })

  test('include the internal ones when asked for', async () => {
    const keepsAll = { retentionMs: null, retentionBytes: null, compacted: false }
    const { out } = await reprise(`topics --data ${data} --all --json`)
    expect(JSON.parse(out).topics).toEqual([
      {
        name: 'flights',
        kind: 'stream',
        partitions: [
          { start: 0, end: 12 },
          { start: 0, end: 2 },
        ],
        ...keepsAll,
      },
      { name: 'journal', kind: 'internal', partitions: [{ start: 0, end: 0 }], ...keepsAll },
    ])
  })

  test('of no data directory are an error, and none is made', async () => {
    expect(await reprise(`topics --data ${data}/none`)).toMatchObject({
      exit: 5,
      out: '',
      err: expect.stringContaining('error FILE_UNREADABLE'),
    })
    expect(await readdir(data)).toEqual(['log'])
  })

  test('of a directory in use are listed too, and no file is made', async () => {
    const log = await openLog()
    try {
      const files = await settledLogFiles()
      const { exit, out } = await reprise(`topics --data ${data}`)
      expect([exit, out]).toEqual([0, 'TOPIC    KIND    PARTITIONS  RECORDS  KEEPS\nflights  stream  2           14       all\n'])
      expect(await logFiles()).toEqual(files)
    } finally {
      await log.close()
    }
  })
})

describe('log tail', () => {
  test('prints the last ten of each partition', async () => {
    const { exit, out } = await reprise(`log tail flights --data ${data}`)
    const lines = out.trimEnd().split('\n')
    expect([exit, lines.length]).toEqual([0, 12])
    expect(lines[0]).toBe('0@2  1970-01-01T00:00:00.002Z  k2  {"n":2}')
    expect(lines.slice(10)).toEqual(['1@0  –  –  –', '1@1  1970-01-01T00:00:00.005Z  base64:/wA=  base64:/wA='])
  })

  test('prints the same while the directory is in use', async () => {
    const alone = await reprise(`log tail flights --data ${data}`)
    const log = await openLog()
    try {
      expect(await reprise(`log tail flights --data ${data}`)).toEqual(alone)
    } finally {
      await log.close()
    }
  })

  test('prints what is asked for, as JSON lines', async () => {
    const { out } = await reprise(`log tail flights --data ${data} --partition 0 -o 3 --limit 2 --json`)
    const records = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(records.map(({ offset, key, value, eventTime }) => [offset, key, value, eventTime])).toEqual([
      [3, 'k3', { n: 3 }, '1970-01-01T00:00:00.003Z'],
      [4, 'k4', { n: 4 }, '1970-01-01T00:00:00.004Z'],
    ])
    const last = await reprise(`log tail flights --data ${data} --partition 1 -o -1 --json`)
    expect(JSON.parse(last.out)).toMatchObject({
      topic: 'flights',
      partition: 1,
      offset: 1,
      key: { base64: '/wA=' },
      headers: [['h', 'v']],
    })
  })

  test('a value of several lines stands on one', async () => {
    await writeFile(path.join(data, 'odd.json'), '[{"text":"a\\nb",\r\n"n":1}]')
    await reprise(`ingest odd=${path.join(data, 'odd.json')} --data ${data}`)
    const { out } = await reprise(`log tail odd --data ${data} --json`)
    expect(out).toContain('"value":{"text":"a\\nb", "n":1}')
    expect(out.trimEnd().split('\n')).toHaveLength(1)
  })

  test('what would begin a new line in the terminal, or steer it, is written out', async () => {
    const log = await openLog()
    await log.createTopic({ name: 'steering', partitions: 1, kind: 'stream' })
    await append(log, 'steering', 0, [{ key: Buffer.from('a\nb'), value: Buffer.from('\x1b[2J'), eventTime: 0 }])
    await log.close()
    const { out } = await reprise(`log tail steering --data ${data}`)
    expect(out).toBe('0@0  1970-01-01T00:00:00.000Z  a\\nb  \\u001b[2J\n')
  })

  test('begins at the beginning, the end or a time', async () => {
    const offsets = async (start: string) => {
      const { out } = await reprise(`log tail flights --data ${data} --partition 0 -o ${start} --json`)
      return out.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line).offset]))
    }
    expect(await offsets('beginning')).toHaveLength(12)
    expect(await offsets('end')).toEqual([])
    expect(await offsets('s@10')).toEqual([10, 11])
    expect(await offsets('s@1970-01-01T00:00:00.011Z')).toEqual([11])
  })

  test.each([
    ['log tail flihgts', 5, 'TOPIC_UNKNOWN'],
    ['log tail flights --partition 2', 2, 'its partitions are 0 to 1'],
    ['log tail flights -o 13 --partition 0', 1, 'OFFSET_OUT_OF_RANGE'],
    ['log tail flights -o none', 2, 'Write beginning, end'],
    ['log tail flights --limit none', 2, 'whole number of at least 1'],
    ['log tial flights', 2, 'did you mean tail?'],
  ])('%s fails with exit code %i', async (args, exit, text) => {
    expect(await reprise(`${args} --data ${data}`)).toMatchObject({ exit, out: '', err: expect.stringContaining(text) })
  })
})

describe('log verify', () => {
  test('says that there is no damage, and changes nothing', async () => {
    const names = await readdir(path.join(data, 'log'))
    const { exit, out } = await reprise(`log verify --data ${data}`)
    expect(exit).toBe(0)
    expect(out).toMatch(/^read \d+ files, .*\n(.*\n)?no damage\n$/)
    expect(await readdir(path.join(data, 'log'))).toEqual(names)
  })

  test('lists damage by file and position, with exit code 1', async () => {
    const copy = await mkdtemp(path.join(tmpdir(), 'reprise-log-'))
    try {
      const log = await openEmbeddedLog({ directory: path.join(copy, 'log'), clock: realClock })
      await log.createTopic({ name: 'a', partitions: 1, kind: 'stream' })
      await append(log, 'a', 0, [{ key: null, value: Buffer.from('find me'), eventTime: 1 }])
      await append(log, 'a', 0, [{ key: null, value: Buffer.from('behind'), eventTime: 1 }])
      await log.close()
      const damaged = await damage(path.join(copy, 'log'), 'find me')
      const { exit, out } = await reprise(`log verify --data ${copy} --json`)
      expect(exit).toBe(1)
      expect(JSON.parse(out).faults).toEqual(expect.arrayContaining([expect.objectContaining({ file: damaged })]))
      expect((await reprise(`log verify --data ${copy}`)).out).toMatch(new RegExp(`^${damaged} +\\d+ +`, 'm'))
    } finally {
      await rm(copy, { recursive: true })
    }
  })
})

function openLog(): Promise<EmbeddedLog> {
  return openEmbeddedLog({ directory: path.join(data, 'log'), clock: realClock })
}

/** Segments aside, which the one who has it open makes in the background. */
async function logFiles(): Promise<string[]> {
  return (await readdir(path.join(data, 'log'))).filter((name) => !name.endsWith('.segment'))
}

async function append(log: EmbeddedLog, topic: string, partition: number, records: readonly NewRecord[]): Promise<void> {
  const builder = new BlockBuilder()
  for (const record of records) builder.add(record)
  const producer = await log.producer(`test-${topic}-${partition}`)
  const next = { seq: producer.end.seq + 1, hash: 'h' }
  await producer.commit({ expect: producer.end, next, appends: [{ topic, partition, block: builder.finish() }] })
}

/** Flips a bit of a text that stands in one file. @returns the name of the file. */
async function damage(directory: string, text: string): Promise<string> {
  for (const name of await readdir(directory)) {
    const bytes = await readFile(path.join(directory, name))
    const at = bytes.indexOf(text)
    if (at === -1) continue
    bytes[at]! ^= 1
    await writeFile(path.join(directory, name), bytes)
    return name
  }
  throw new Error(`${text} is in no file`)
}
