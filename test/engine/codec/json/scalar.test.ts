import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codePoints, numberOf } from '../../../../engine/codec/json/scalar.ts'
import { skipNumber, skipValue } from '../../../../engine/codec/json/scan.ts'
import { StringCache } from '../../../../engine/codec/json/string-cache.ts'
import { writeNumber } from '../../../../engine/codec/json/write-number.ts'
import { RUNS } from '../support.ts'

const anyNumber = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
  fc.maxSafeInteger(),
  fc.double({ min: -1e6, max: 1e6, noNaN: true }),
)
const numberText = fc.oneof(
  anyNumber.map(String),
  fc
    .tuple(fc.bigInt({ min: 0n, max: 10n ** 24n }), fc.nat(30), fc.constantFrom('', 'e5', 'E-10', 'e+22', 'e-22', 'e308'))
    .map(([digits, decimals, exponent]) => {
      const text = String(digits).padStart(decimals + 1, '0')
      return `${text.slice(0, text.length - decimals)}${decimals > 0 ? `.${text.slice(text.length - decimals)}` : ''}${exponent}`
    }),
)

describe('numbers', () => {
  test('are written as JSON.stringify writes them', { timeout: 60_000 * RUNS }, () => {
    fc.assert(
      fc.property(anyNumber, (value) => {
        const bytes = Buffer.alloc(40, 0x7f)
        const end = writeNumber(bytes, new DataView(bytes.buffer, bytes.byteOffset, 40), 3, value)
        expect(bytes.latin1Slice(3, end)).toBe(JSON.stringify(value))
      }),
      { numRuns: 5000 * RUNS },
    )
  })

  test('are written the same when they come again, in any order', { timeout: 60_000 * RUNS }, () => {
    const few = fc
      .array(anyNumber, { minLength: 1, maxLength: 4 })
      .chain((values) => fc.array(fc.constantFrom(...values), { maxLength: 12 }))
    fc.assert(
      fc.property(few, (values) => {
        const bytes = Buffer.alloc(40)
        for (const value of values) {
          bytes.fill(0x7f)
          const end = writeNumber(bytes, new DataView(bytes.buffer, bytes.byteOffset, 40), 3, value)
          expect(bytes.latin1Slice(3, end)).toBe(JSON.stringify(value))
        }
      }),
      { numRuns: 2000 * RUNS },
    )
  })

  test('are read as JSON.parse reads them', { timeout: 60_000 * RUNS }, () => {
    fc.assert(
      fc.property(numberText, fc.boolean(), (text, negative) => {
        const signed = negative && !text.startsWith('-') ? `-${text}` : text
        const bytes = Buffer.from(`${signed}0123456789012345`)
        expect(skipNumber(bytes, 0, signed.length)).toBe(signed.length)
        const wanted = JSON.parse(signed) as number
        expect(Object.is(numberOf(bytes, 0, signed.length), wanted), `${signed} is ${wanted}`).toBe(true)
      }),
      { numRuns: 5000 * RUNS },
    )
  })
})

describe('strings', () => {
  test('a cached string is always the one of its bytes', { timeout: 60_000 * RUNS }, () => {
    const cache = new StringCache()
    const bytes = Buffer.alloc(64)
    const view = new DataView(bytes.buffer, bytes.byteOffset, 64)
    const text = fc.oneof(
      fc.string({ unit: fc.constantFrom(...'ab\u007f0'), minLength: 1, maxLength: 16 }),
      fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 16 }),
    )
    fc.assert(
      fc.property(text, fc.nat(20), fc.nat(255), (wanted, at, around) => {
        bytes.fill(around)
        bytes.latin1Write(wanted, at)
        expect(cache.get(bytes, view, at, at + wanted.length)).toBe(wanted)
      }),
      { numRuns: 5000 * RUNS },
    )
  })

  test('cached strings that differ in one place do not stand for each other', () => {
    const cache = new StringCache()
    const bytes = Buffer.alloc(32)
    const view = new DataView(bytes.buffer, bytes.byteOffset, 32)
    for (let at = 0; at < 16; at++) {
      for (let i = 0; i < 6000; i++) {
        const text = `${'x'.repeat(at)}${i.toString(36)}${'x'.repeat(16)}`.slice(0, 16)
        bytes.latin1Write(text, 0)
        if (cache.get(bytes, view, 0, 16) !== text) expect(cache.get(bytes, view, 0, 16)).toBe(text)
      }
    }
  })

  test('length is counted in code points', () => {
    for (const [text, length] of [
      ['', 0],
      ['ab', 2],
      ['\u{1F600}', 1],
      ['\ud83d', 1],
      ['\ude00\ud83d', 2],
      ['\ud83d\ud83d\ude00', 2],
    ] as const)
      expect(codePoints(text)).toBe(length)
  })
})

test('no byte at or after the end is read as part of a value', () => {
  for (const text of ['true', 'false', 'null', '"abc"', '"a\\u0041"', '[1]', '[1,2]', '{"a":1}', '{}', '[]', '-1', '1.5', '1e5', '1e+5']) {
    for (let end = 0; end < text.length; end++) {
      const reached = skipValue(Buffer.from(`${text}                `), 0, end, 0)
      expect(reached, `${text} up to ${end}`).toBeLessThanOrEqual(end)
    }
  }
})

test('stepping over a value agrees with JSON.parse on what is one', { timeout: 60_000 * RUNS }, () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"a"',
    '"\\n"',
    '"\\u00e9"',
    '"\\x"',
    '"',
    '1',
    '-0.5e3',
    '01',
    '-',
    'true',
    'null',
    'false',
    'nul',
    ' ',
    '\n',
    '\t',
    '"b":1',
    '"c":[]',
    '\u0000',
  )
  const value = fc.oneof(
    fc.json(),
    fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
    fc.json().map((text) => text.slice(0, -1)),
  )
  fc.assert(
    fc.property(value, (text) => {
      const bytes = Buffer.from(`${text}                `)
      const end = Buffer.byteLength(text)
      let good = true
      try {
        JSON.parse(text)
      } catch {
        good = false
      }
      const reached = skipValue(bytes, text.length - text.trimStart().length, end, 0)
      if (good) expect(bytes.utf8Slice(reached, end).trim()).toBe('')
      else expect(reached === -1 || bytes.utf8Slice(reached, end).trim() !== '' || /^[^ \n\t\r]?\s/.test(text)).toBe(true)
    }),
    { numRuns: 3000 * RUNS },
  )
})
