import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { readCsv } from '../../../deploy/ingest/csv.ts'
import { cellTypes, cellValue } from '../../../deploy/ingest/csv-cell.ts'
import { all, chunksOf, collectBad, valuesOf } from './read.ts'

const failing = { file: 'a.csv', onBad: 'fail' } as const
const read = (text: string) => all(readCsv(chunksOf(text, 5), failing))

describe('CSV', () => {
  test('gives an object a row, with its number and the line it begins on', async () => {
    expect(await read('\uFEFFname, n\r\n"a ""b"", c",1\r\n"two\nlines",2\r\nx,3\r\n')).toEqual([
      { number: 0, line: 2, value: { name: 'a "b", c', n: 1 } },
      { number: 1, line: 3, value: { name: 'two\nlines', n: 2 } },
      { number: 2, line: 5, value: { name: 'x', n: 3 } },
    ])
    expect(await read('a,b\n')).toEqual([])
  })

  test('fails at a row of another length, naming file and line', async () => {
    await expect(read('a,b\n1,2\n3\n')).rejects.toMatchObject({
      code: 'RECORD_MALFORMED',
      details: { file: 'a.csv', line: 3, reason: '1 cells under 2 columns' },
    })
  })

  test('leaves bad rows out when told so; numbers are those of the file', async () => {
    const bad = collectBad()
    const text = `a,b\n1,2\n3\n4,5\n6,7,8\n9,10\n${'11,12\n'.repeat(2000)}\n`
    const seen = await all(readCsv(chunksOf(text, 100), { file: 'a', onBad: bad.onBad }))
    expect(seen.map(({ number, line }) => [number, line])).toEqual([
      [0, 2],
      [2, 4],
      ...Array.from({ length: 2001 }, (_, i) => [i + 4, i + 6]),
    ])
    expect(bad.lines()).toEqual([
      ['RECORD_MALFORMED', 3],
      ['RECORD_MALFORMED', 5],
      ['RECORD_MALFORMED', 2007],
    ])
  })

  test.each(['', '\uFEFF'])('refuses rows that are not UTF-8, with %j before them', async (mark) => {
    const bad = collectBad()
    const bytes = Buffer.concat([Buffer.from(`${mark}a,b\n\uFFFD,1\n`), Buffer.from('x\xff,2\n', 'latin1'), Buffer.from('ü,3\n')])
    const seen = await valuesOf(readCsv(chunksOf(bytes, 2), { file: 'a', onBad: bad.onBad }))
    expect(seen).toEqual([
      { a: '\uFFFD', b: 1 },
      { a: 'ü', b: 3 },
    ])
    expect(bad.lines()).toEqual([['RECORD_MALFORMED', 3]])
    await expect(all(readCsv(chunksOf(Buffer.from('\xfc,b\n1,2\n', 'latin1'), 2), failing))).rejects.toMatchObject({
      details: { line: 1, reason: 'not UTF-8' },
    })
  })

  test.each([
    ['a,b\n1,2\n"3"x,4\n5,6\n', 3, 'Closing Quote'],
    ['a,b\n1,2\n3,"4\n5,6\n', 4, 'Quote Not Closed'],
    [`a\n${'x'.repeat(300)}\n`, 2, 'Max Record Size'],
  ])('fails at %j whatever the policy is', async (text, line, reason) => {
    const { onBad } = collectBad()
    await expect(all(readCsv(chunksOf(text, 7), { file: 'a', onBad, recordBytesMax: 100 }))).rejects.toMatchObject({
      code: 'RECORD_MALFORMED',
      details: { line, reason: expect.stringContaining(reason) },
    })
  })

  test('passes on what the source of its bytes throws', async () => {
    async function* failing(): AsyncIterable<Uint8Array> {
      yield Buffer.from('a\n1\n')
      throw new RangeError('gone')
    }
    await expect(all(readCsv(failing(), { file: 'a', onBad: 'fail' }))).rejects.toThrow('gone')
  })

  test.each([
    ['', 'empty'],
    ['a,a\n1,2\n', 'two columns are named "a"'],
    ['a,,c\n1,2,3\n', 'column 2 has no name'],
  ])('without a usable header (%j) is refused', async (text, reason) => {
    await expect(read(text)).rejects.toMatchObject({ code: 'RECORD_MALFORMED', details: { reason: expect.stringContaining(reason) } })
  })

  test('takes the types of its columns from the schema', async () => {
    const schema = z.object({
      id: z.string(),
      note: z.string().optional(),
      n: z.number().nullable(),
      ok: z.boolean().default(true),
      tags: z.array(z.string()).optional(),
    })
    const types = cellTypes(schema)
    expect(types).toEqual({ id: 'string', note: 'optional-string', n: 'number', ok: 'boolean' })
    const text = 'id,note,n,ok,other\n007,12,1.50,true,5\n8,,x,,01\n,,,,\n'
    expect(await valuesOf(readCsv(chunksOf(text), { ...failing, types }))).toEqual([
      { id: '007', note: '12', n: 1.5, ok: true, other: 5 },
      { id: '8', n: 'x', other: '01' },
      { id: '' },
    ])
    expect(cellTypes(z.array(z.number()))).toEqual({})
  })

  test('gives back every text that was quoted', async () => {
    const rows = fc.array(fc.record({ a: fc.string({ unit: 'grapheme', minLength: 1 }), b: fc.string({ minLength: 1 }) }), {
      maxLength: 10,
    })
    await fc.assert(
      fc.asyncProperty(rows, async (rows) => {
        const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
        const text = `a,b\n${rows.map(({ a, b }) => `${quoted(a)},${quoted(b)}\n`).join('')}`
        expect(await valuesOf(readCsv(chunksOf(text, 9), { ...failing, types: { a: 'string', b: 'string' } }))).toEqual(rows)
      }),
    )
  })
})

describe('a cell without a type', () => {
  test.each([
    ['1', 1],
    ['-2.5', -2.5],
    ['0', 0],
    ['007', '007'],
    ['1.0', '1.0'],
    ['1e3', '1e3'],
    ['0x10', '0x10'],
    ['NaN', 'NaN'],
    ['Infinity', 'Infinity'],
    ['9007199254740993', '9007199254740993'],
    ['true', true],
    ['false', false],
    ['TRUE', 'TRUE'],
    [' 1', ' 1'],
    ['', undefined],
    ['null', 'null'],
  ])('%j is %j', (cell, value) => {
    expect(cellValue(cell)).toBe(value)
  })
})

describe('a cell of a number column', () => {
  test.each([
    ['1.0', 1],
    ['007', 7],
    [' 5 ', 5],
    ['1e3', 1000],
    ['-.5', -0.5],
    ['abc', 'abc'],
    ['0x10', '0x10'],
    ['9007199254740993', '9007199254740993'],
    ['', undefined],
    ['1e999', '1e999'],
  ])('%j is %j', (cell, value) => {
    expect(cellValue(cell, 'number')).toBe(value)
  })
})
