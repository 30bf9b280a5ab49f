import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { reprise } from './fake-terminal.ts'

const job = 'examples/airport-delays/job.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'reprise-describe-'))
})
afterAll(() => rm(directory, { recursive: true }))

test('a job is described from its topics to its topics', async () => {
  const { exit, out, err } = await reprise(`describe ${job}`)
  expect([exit, err]).toEqual([0, ''])
  const lines = out.split('\n')
  expect(lines[0]).toMatch(/^job airport-delays {3}sha256 [0-9a-f]{12}$/)
  expect(lines.find((line) => line.startsWith('flights '))).toContain('source (stream)')
  expect(lines.find((line) => line.startsWith('by-origin '))).toMatch(/keyBy +flights +–/)
  expect(lines.find((line) => line.startsWith('daily '))).toMatch(/window +by-origin +daily.* +tumbling 1d/)
  expect(lines.find((line) => line.startsWith('delays-by-airport '))).toContain('sink (table)')
})

test('as JSON each node names what it reads', async () => {
  const { out } = await reprise(`describe ${job} --json`)
  const described = JSON.parse(out)
  expect(described).toMatchObject({ job: 'airport-delays', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) })
  const names = described.nodes.map(({ name }: { name: string }) => name)
  for (const { inputs, kind } of described.nodes) {
    expect(inputs.length > 0).toBe(kind !== 'source')
    for (const input of inputs) expect(names).toContain(input)
  }
  expect(described.nodes.find(({ name }: { name: string }) => name === 'daily')).toMatchObject({
    kind: 'operator',
    stores: expect.arrayContaining(['daily']),
  })
})

test('as a Mermaid flowchart each edge joins two nodes', async () => {
  const { out } = await reprise(`describe ${job} --mermaid`)
  expect(out).toMatch(/^flowchart LR\n/)
  expect(out).toContain('(["flights"])')
  expect(out).toMatch(/\[\("daily<br>tumbling 1d.*"\)\]/)
  const boxes = new Set([...out.matchAll(/^ {2}(n\d+)[[(]/gm)].map(([, box]) => box))
  const edges = [...out.matchAll(/^ {2}(n\d+) [=-]+> (n\d+)$/gm)]
  expect(edges.length).toBe(boxes.size - 1)
  for (const [, from, to] of edges) expect([boxes.has(from!), boxes.has(to!)]).toEqual([true, true])
})

test.each([
  ['const a = 1', 'JOB_INVALID', 'there is no default export'],
  ['export default {', 'JOB_LOAD_FAILED', 'line: 1'],
  ["import 'node:fs'\nexport default 1", 'API_NOT_ALLOWED', 'api: node:fs, file: job.ts, line: 1'],
  ['setTimeout(() => 1, 5)', 'API_NOT_ALLOWED', 'api: setTimeout'],
  ["throw new Error('not today')", 'JOB_LOAD_FAILED', 'not today'],
])('a file with %j is refused with %s', async (text, code, why) => {
  const file = path.join(directory, 'job.ts')
  await writeFile(file, text)
  const { exit, out, err } = await reprise(`describe ${file}`)
  expect([exit, out]).toEqual([1, ''])
  expect(err).toContain(`error ${code}:`)
  expect(err).toContain(why)
})

test('as Mermaid and as JSON at once is refused', async () => {
  expect(await reprise(`describe ${job} --mermaid --json`)).toMatchObject({
    exit: 2,
    out: '',
    err: expect.stringContaining('exclude each other'),
  })
})
