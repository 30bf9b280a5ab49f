import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readJsonArray } from '../../../deploy/ingest/json-array.ts'
import { all, chunksOf, collectBad, valuesOf } from './read.ts'

const failing = { file: 'a.json', onBad: 'fail' } as const
const read = (text: string, ...sizes: number[]) => all(readJsonArray(chunksOf(text, ...sizes), failing))

describe('a JSON array', () => {
  test('gives number and line of each element', async () => {
    expect(await read('\uFEFF[\n {"a": [1, 2]},\n\n "x,]\\"[" , 3]\n')).toEqual([
      { number: 0, line: 2, value: { a: [1, 2] } },
      { number: 1, line: 4, value: 'x,]"[' },
      { number: 2, line: 4, value: 3 },
    ])
    expect(await read(' [ ] ')).toEqual([])
  })

  test.each([
    ['', 1, 'empty'],
    ['{"a":1}', 1, 'not an array'],
    ['[1,\n2', 2, 'ends inside'],
    ['[1,]', 1, 'after a comma'],
    ['[\n,1]', 2, 'before a comma'],
    ['[1,,2]', 1, 'before a comma'],
    ['[1]\n2', 2, 'follows the array'],
    ['[1]]', 1, 'follows the array'],
    ['["a]', 1, 'ends inside'],
    ['[[1]', 1, 'ends inside'],
  ])('that is none (%j) is refused whatever the policy is', async (text, line, reason) => {
    const bad = collectBad()
    const expected = { code: 'RECORD_MALFORMED', details: { file: 'a.json', line, reason: expect.stringContaining(reason) } }
    for (const onBad of ['fail', bad.onBad] as const) {
      await expect(all(readJsonArray(chunksOf(text, 2), { file: 'a.json', onBad }))).rejects.toMatchObject(expected)
    }
  })

  test('with a bad element fails there, or goes on without it', async () => {
    const text = '[1,\n{"a": nope},\n3]'
    await expect(read(text)).rejects.toMatchObject({ code: 'RECORD_MALFORMED', details: { line: 2 } })
    const bad = collectBad()
    const seen = await all(readJsonArray(chunksOf(text, 3), { file: 'a', onBad: bad.onBad }))
    expect(seen.map(({ number, value }) => [number, value])).toEqual([
      [0, 1],
      [2, 3],
    ])
    expect(bad.lines()).toEqual([['RECORD_MALFORMED', 2]])
  })

  test('with an element beyond the bound is not held in memory', async () => {
    const bad = collectBad()
    const options = { file: 'a', onBad: bad.onBad, recordBytesMax: 20 }
    await expect(all(readJsonArray(chunksOf(`[1, "${'x'.repeat(100)}"]`, 8), options))).rejects.toMatchObject({
      code: 'RECORD_MALFORMED',
      details: { reason: expect.stringContaining('more than 20 bytes') },
    })
    expect(await valuesOf(readJsonArray(chunksOf(`[1, "${'x'.repeat(100)}", 2]`), options))).toEqual([1, 2])
    expect(bad.lines()).toEqual([['RECORD_TOO_LARGE', 1]])
  })

  test('is read as JSON.parse reads it, however it is cut and laid out', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 })
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue(), { maxLength: 20 }), sizes, fc.constantFrom(0, 1, '\t'), async (values, sizes, space) => {
        const text = JSON.stringify(values, null, space)
        expect(await valuesOf(readJsonArray(chunksOf(text, ...sizes), failing))).toEqual(JSON.parse(text))
      }),
    )
  })
})
