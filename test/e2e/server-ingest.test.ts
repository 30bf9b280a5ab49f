import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { reprise, start } from './command-line.ts'
import { persistently } from './server-process.ts'
import { serverUnderTest } from './server-under-test.ts'

const { dir, server } = await serverUnderTest()

function file(name: string, text: string): string {
  const path = join(dir, name)
  writeFileSync(path, text)
  return path
}

async function ingest(args: string, input?: string) {
  const flags = ['ingest', ...args.split(' '), '--server', server.url, '--json']
  const { code, stdout, stderr } = await reprise(flags, input === undefined ? {} : { input })
  return { code, stderr, ingested: stdout === '' ? undefined : JSON.parse(stdout).ingested }
}

interface Found {
  readonly key: unknown
  readonly eventTime: string
  readonly value: { readonly n: number }
}

async function records(topic: string): Promise<Found[]> {
  const found: Found[] = []
  for (let from = '0', end = ''; from !== end; ) {
    const page = await server.api.get<{ items: Found[]; next: string; end: string }>(
      `/api/v1/topics/${topic}/records?from=${from}&limit=10000`,
    )
    found.push(...page.items)
    from = page.next
    end = page.end
  }
  return found
}
const numbersOf = async (topic: string) => (await records(topic)).map(({ value }) => value.n)
const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)
const lines = (from: number, to: number, more = '') =>
  upTo(to - from)
    .map((n) => `{"n":${from + n},"at":${1000 + from + n}${more}}\n`)
    .join('')

test('a server takes in files of each format, keyed and timed by their fields; the same content again adds nothing', async () => {
  const ndjson = file('a.ndjson', lines(0, 2))
  const json = file('b.json', '[\n  {\n    "n": 2,\n    "at": 1002\n  }\n]\n')
  const csv = file('c.csv', 'n,at\n3,1003\n')
  const all = `kinds=${ndjson} kinds=${json} kinds=${csv} --key n --event-time at --kind table`
  expect(await ingest(all)).toMatchObject({ code: 0, ingested: [{ added: 2, skipped: 0 }, { added: 1 }, { added: 1 }] })
  expect((await ingest(all)).ingested).toMatchObject([
    { added: 0, skipped: 2 },
    { added: 0, skipped: 1 },
    { added: 0, skipped: 1 },
  ])
  const found = await records('kinds')
  expect(found.map(({ key, eventTime, value }) => [key, Date.parse(eventTime), value.n])).toEqual(
    upTo(4).map((n) => [String(n), 1000 + n, n]),
  )
  expect(await server.api.get('/api/v1/topics/kinds')).toMatchObject({ kind: 'table' })
})

test('what was interrupted goes on under the same producer, and each record is there once', { timeout: 60_000 }, async () => {
  // Several batches.
  const count = 20_000
  const big = file('big.ndjson', lines(0, count, `,"text":"${'x'.repeat(300)}"`))
  const killed = start(['ingest', `big=${big}`, '--producer', 'feed', '--server', server.url])
  await persistently(async () => {
    const { partitions } = await server.api.get<{ partitions: { end: string }[] }>('/api/v1/topics/big')
    expect(Number(partitions[0]!.end)).toBeGreaterThan(0)
  })
  killed.kill('SIGKILL')
  await killed.ended
  const [again] = (await ingest(`big=${big} --producer feed`)).ingested
  expect(again.skipped).toBeGreaterThan(0)
  expect(again.added + again.skipped).toBe(count)
  expect(await numbersOf('big')).toEqual(upTo(count))
})

test('standard input goes on where it ended; what is sent without a name is refused', async () => {
  expect((await ingest('piped=-', lines(0, 3))).code).toBe(2)
  await ingest('piped=- --producer pipe', lines(0, 3))
  expect((await ingest('piped=- --producer pipe', lines(0, 5))).ingested).toMatchObject([{ added: 2, skipped: 3 }])
  expect(await numbersOf('piped')).toEqual(upTo(5))
})

test('what trickles in is there soon, while more is waited for', { timeout: 60_000 }, async () => {
  const cli = fileURLToPath(new URL('../../dist/deploy/cli/main.js', import.meta.url))
  const child = spawn(process.execPath, [cli, 'ingest', 'drops=-', '--producer', 'tap', '--server', server.url], {
    stdio: ['pipe', 'ignore', 'inherit'],
  })
  const ended = new Promise((resolve) => child.on('close', resolve))
  try {
    for (const n of upTo(2)) {
      child.stdin.write(lines(n, n + 1))
      await persistently(async () => expect(await numbersOf('drops')).toEqual(upTo(n + 1)), 15_000)
    }
    child.stdin.write('no record\n')
    // It ends, although its input does not.
    expect(await ended).toBe(1)
  } finally {
    child.kill()
  }
})

test('a file whose records are shorter than what stands between them is taken in', { timeout: 60_000 }, async () => {
  const count = 300_000
  expect((await ingest(`short=${file('short.ndjson', '1\n'.repeat(count))}`)).ingested).toMatchObject([{ added: count }])
})

test('what a directory takes in a server takes in too: records as deep as they may be', async () => {
  const deepest = '['.repeat(1000) + ']'.repeat(1000)
  expect((await ingest(`deepest=${file('deepest.ndjson', `${deepest}\n`)}`)).ingested).toMatchObject([{ added: 1 }])
})

describe('a line that is no record', () => {
  test('keeps a file out as a whole, and is named; standard input is taken up to it', async () => {
    const bad = file('bad.ndjson', `${lines(0, 2)}no record\n${lines(2, 3)}`)
    const refused = await ingest(`bad=${bad}`)
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringMatching(/RECORD_MALFORMED.*"line":3/)])
    expect(await numbersOf('bad')).toEqual([])
    const piped = await ingest('bad=- --producer pipe', `${lines(0, 2)}no record\n`)
    expect([piped.code, piped.stderr]).toEqual([1, expect.stringMatching(/RECORD_MALFORMED.*"taken":2.*the same command again goes on/)])
    expect(await numbersOf('bad')).toEqual(upTo(2))
  })

  test('is left out and told of with --on-bad skip', async () => {
    const bad = file('skip.ndjson', `${lines(0, 1)}no record\n${lines(1, 2)}`)
    expect(await ingest(`skip=${bad} --on-bad skip`)).toMatchObject({ code: 0, ingested: [{ added: 2, refused: 1 }] })
    expect(await numbersOf('skip')).toEqual(upTo(2))
    // By another key other lines are none: what is left has other numbers.
    const keyed = file('keyed.ndjson', '{"n":0}\n{"n":1,"k":"a"}\n')
    expect((await ingest(`keyed=${keyed} --on-bad skip --key k`)).ingested).toMatchObject([{ added: 1, refused: 1 }])
    expect((await ingest(`keyed=${keyed} --on-bad skip`)).ingested).toMatchObject([{ added: 2, skipped: 0 }])
    expect((await ingest(`keyed=${keyed} --on-bad skip --key k`)).ingested).toMatchObject([{ added: 0, skipped: 1 }])
    expect(await numbersOf('keyed')).toEqual([1, 0, 1])
  })
})

test('a directory that a server has open names the way to it; two places are refused, and so is a file that is not there', async () => {
  const one = file('one.ndjson', lines(0, 1))
  const locked = await reprise(['ingest', `one=${one}`, '--data', join(dir, 'data')])
  expect([locked.code, locked.stderr]).toEqual([3, expect.stringMatching(/LOG_LOCKED[\s\S]*fix .*--server <url> in the place of --data/)])
  expect((await ingest(`one=${one} --data ${join(dir, 'data')}`)).code).toBe(2)
  const missing = await ingest(`one=${join(dir, 'none.ndjson')} --producer p`)
  expect([missing.code, missing.stderr]).toEqual([5, expect.stringContaining('FILE_UNREADABLE')])
})
