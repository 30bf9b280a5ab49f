import fc from 'fast-check'
import type { Key } from '../../../engine/model/record.ts'

const anyNumber = fc.oneof(fc.integer({ min: -5, max: 5 }), fc.double({ noNaN: true })).map((number) => (number === 0 ? 0 : number))

/** Keys that are often equal, or near in order, or hard to write. */
export const anyKey: fc.Arbitrary<Key> = fc.oneof(
  anyNumber,
  fc.constantFrom(Infinity, -Infinity, 2 ** 53, 1.5, -1.5, 1e-310),
  fc.constantFrom(
    '',
    'a',
    'a\0',
    'a\0a',
    'a\x01',
    'aa',
    '\ud800',
    '\udc00',
    '\ue000',
    '\uffff',
    '\u{1f600}',
    'é',
    '1',
    '\x7f',
    '\x80',
    '\u07ff',
    '\u0800',
  ),
  fc.string({ unit: 'binary', maxLength: 6 }),
)
