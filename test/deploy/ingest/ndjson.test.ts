import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readNdjson } from '../../../deploy/ingest/ndjson.ts'
import { all, chunksOf, collectBad, valuesOf } from './read.ts'

const failing = { file: 'a.ndjson', onBad: 'fail' } as const

describe('NDJSON', () => {
  test('gives number and line of each record; blank lines count as lines only', async () => {
    expect(await all(readNdjson(chunksOf('\uFEFF{"a":1}\r\n\n  \r\n 2 \n"x"'), failing))).toEqual([
      { number: 0, line: 1, value: { a: 1 } },
      { number: 1, line: 4, value: 2 },
      { number: 2, line: 5, value: 'x' },
    ])
  })

  test('of nothing is nothing', async () => {
    expect(await all(readNdjson(chunksOf(''), failing))).toEqual([])
    expect(await all(readNdjson(chunksOf('\n\n'), failing))).toEqual([])
  })

  test('fails at a malformed line, naming file, line and reason', async () => {
    const reading = all(readNdjson(chunksOf('1\n{"a":\n3\n'), failing))
    await expect(reading).rejects.toMatchObject({
      code: 'RECORD_MALFORMED',
      details: { file: 'a.ndjson', line: 2, reason: expect.stringContaining('JSON') },
    })
  })

  test('fails only after it gave all lines before, however the file is cut', async () => {
    for (const sizes of [[1], [5], [1000]]) {
      const seen: number[] = []
      const read = async () => {
        for await (const batch of readNdjson(chunksOf('1\n2\nno\n4\n', ...sizes), failing)) seen.push(...batch.map(({ line }) => line))
      }
      await expect(read()).rejects.toMatchObject({ code: 'RECORD_MALFORMED', details: { line: 3 } })
      expect(seen).toEqual([1, 2])
    }
  })

  test('leaves malformed lines out when told so, and numbers on', async () => {
    const bad = collectBad()
    expect(await all(readNdjson(chunksOf('1\n{\n3\n4 5\n6'), { file: 'a', onBad: bad.onBad }))).toEqual([
      { number: 0, line: 1, value: 1 },
      { number: 2, line: 3, value: 3 },
      { number: 4, line: 5, value: 6 },
    ])
    expect(bad.lines()).toEqual([
      ['RECORD_MALFORMED', 2],
      ['RECORD_MALFORMED', 4],
    ])
  })

  test('refuses bytes that are not UTF-8 instead of replacing them', async () => {
    const bytes = Buffer.concat([Buffer.from('"'), Buffer.from([0xc3, 0x28]), Buffer.from('"\n')])
    await expect(all(readNdjson(chunksOf(bytes), failing))).rejects.toMatchObject({
      code: 'RECORD_MALFORMED',
      details: { reason: 'not UTF-8' },
    })
  })

  test.each([[[1]], [[7]], [[1000]]])('holds no more of a line than the bound, in chunks of %o', async (sizes) => {
    const bad = collectBad()
    const text = `1\n"${'x'.repeat(200)}"\n"${'y'.repeat(8)}"\n"${'y'.repeat(9)}"\n3\n`
    expect(await all(readNdjson(chunksOf(text, ...sizes), { file: 'a', onBad: bad.onBad, recordBytesMax: 10 }))).toEqual([
      { number: 0, line: 1, value: 1 },
      { number: 2, line: 3, value: 'yyyyyyyy' },
      { number: 4, line: 5, value: 3 },
    ])
    expect(bad.lines()).toEqual([
      ['RECORD_TOO_LARGE', 2],
      ['RECORD_TOO_LARGE', 4],
    ])
  })

  test('without line ends is given up as soon as the bound is reached', async () => {
    let chunks = 0
    async function* endless(): AsyncIterable<Uint8Array> {
      for (; chunks < 1000; chunks++) yield Buffer.alloc(100, 'x')
    }
    await expect(all(readNdjson(endless(), { ...failing, recordBytesMax: 1000 }))).rejects.toMatchObject({ code: 'RECORD_TOO_LARGE' })
    expect(chunks).toBe(10)
  })

  test('is read the same however the file is cut', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.jsonValue(), { maxLength: 20 }),
        sizes,
        fc.constantFrom('\n', '\r\n', '\n\n'),
        async (values, sizes, end) => {
          const text = values.map((value) => JSON.stringify(value)).join(end)
          expect(await valuesOf(readNdjson(chunksOf(text, ...sizes), failing))).toEqual(
            values.map((value) => JSON.parse(JSON.stringify(value))),
          )
        },
      ),
    )
  })
})
