import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { contentHash, openInput } from '../../../deploy/ingest/open-input.ts'
import { valuesOf } from './read.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'reprise-input-'))
})
afterAll(() => rm(directory, { recursive: true }))

test.each([
  ['a.ndjson', '{"a":1}\n{"a":2}\n'],
  ['a.JSONL', '{"a":1}\n{"a":2}\n'],
  ['a.json', '[{"a":1},{"a":2}]'],
  ['a.csv', 'a\n1\n2\n'],
])('%s is read by the ending of its name', async (name, text) => {
  expect(await valuesOf(openInput(await write(name, text), { onBad: 'fail' }))).toEqual([{ a: 1 }, { a: 2 }])
})

test('a format that is asked for stands above the ending', async () => {
  expect(await valuesOf(openInput(await write('b.txt', '1\n2\n'), { onBad: 'fail', format: 'ndjson' }))).toEqual([1, 2])
  expect(() => openInput('b.txt', { onBad: 'fail' })).toThrow(
    expect.objectContaining({ code: 'USAGE', fix: 'add --format ndjson, json, csv' }),
  )
})

test('progress is told in bytes up to the size of the file', async () => {
  const text = '{"a":1}\n'.repeat(100_000)
  const seen: number[] = []
  await valuesOf(openInput(await write('c.ndjson', text), { onBad: 'fail', onBytes: (bytes) => seen.push(bytes) }))
  expect(seen.length).toBeGreaterThan(2)
  expect(seen.at(-1)).toBe(text.length)
})

test('a file that is not there says so', async () => {
  const file = path.join(directory, 'none.ndjson')
  await expect(valuesOf(openInput(file, { onBad: 'fail' }))).rejects.toMatchObject({
    code: 'FILE_UNREADABLE',
    details: { file, reason: 'ENOENT' },
  })
  await expect(contentHash(directory)).rejects.toMatchObject({ code: 'FILE_UNREADABLE', details: { reason: 'EISDIR' } })
})

test('the content hash is that of the bytes, whatever the file is called', async () => {
  const expected = createHash('sha256').update('1\n2\n').digest('hex')
  expect(await contentHash(await write('d.ndjson', '1\n2\n'))).toBe(expected)
  expect(await contentHash(await write('e.csv', '1\n2\n'))).toBe(expected)
})

async function write(name: string, text: string): Promise<string> {
  const file = path.join(directory, name)
  await writeFile(file, text)
  return file
}
