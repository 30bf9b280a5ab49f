import type { Field } from './plan.ts'
import { codePoints, numberOf, powersOfTen, stringOf } from './scalar.ts'
import { numberByte, skipNumber, skippable, skipSpace, skipString, skipValue } from './scan.ts'
import { CACHED_BYTES_MAX, type StringCache } from './string-cache.ts'
import { byteLength, sameBytes } from './word-source.ts'

/*
 * Source text of the generated decoders. Names in it:
 *   b, view   the bytes, as Buffer and as DataView         p, e   the position, and the record's end
 *   s, q, c, x, y, m, n   scratch                             v0 v1 ...   the fields' values, in the schema's order
 * A reader starts at the value's first byte and leaves p after it, or runs `fail`, which hands the record down. It may look at up to 16
 * bytes from any p <= e, never further. It does not have to notice that it ran past e: p only grows, and whoever ends the record compares.
 */

/** Returned instead of a value: this tier does not know, the next one must look. */
export const UNDECIDED: unique symbol = Symbol('undecided')

/** Decodes one value in [start, end) on its own. */
export type DecodeOne = (bytes: Buffer, view: DataView, start: number, end: number) => unknown

/** What the generated text refers to besides its own names; `nested` holds the decoders of object and zod fields by field number. */
export function scope(nested: readonly (DecodeOne | undefined)[], strings: StringCache): Record<string, unknown> {
  return {
    UNDECIDED,
    nested,
    strings,
    skippable,
    numberByte,
    powersOfTen,
    skipSpace,
    skipString,
    skipNumber,
    skipValue,
    numberOf,
    stringOf,
    codePoints,
  }
}

/** The names a generated decoder declares before its first reader. */
export function declarations(fields: readonly Field[]): string {
  return `let s=0,q=0,c=0,x=0,y=0,m=0,n=0${fields.map((_, i) => `,v${i}`).join('')};`
}

const NULL = sameBytes('null', 'p')
const TRUE = sameBytes('true', 'p')
const FALSE = sameBytes('false', 'p')

/** What is known about the bytes of a value from an earlier record; it only decides how fast the text is. */
export interface Hint {
  /** The value was a long one: worth stepping over 8 bytes at a time. */
  readonly long: boolean
  /** The byte that followed it. */
  readonly next?: number | undefined
}

/** Reads the value of field `i`. */
export function readField(field: Field, i: number, fail: string, hint: Hint = { long: false }): string {
  const read = readers[field.kind](field as never, `v${i}`, fail, i, hint)
  return field.nullable ? `if(${NULL}){v${i}=null;p+=4}else{${read}}` : read
}

/** Steps over a value whose key is not declared. `seen` is the first byte of such a value in an earlier record. */
export function skipUnknown(seen: number, fail: string, hint: Hint): string {
  const other = `{p=skipValue(b,p,e,0);if(p<0)${fail};}`
  if (seen === 34) return `if(b[p]===34){p++;${toSpecial('', hint)}if(b[p]===34)p++;else{p=skipString(b,p,e);if(p<0)${fail};}}else${other}`
  if (seen >= 48 && seen <= 57) {
    return `s=p;for(;p<e;p+=4){${digitMask}if(m!==0){p+=3-(Math.clz32(m&-m)>>>3);break}}
      if(${notPlainInteger(hint)}){p=skipValue(b,s,e,0);if(p<0)${fail};}`
  }
  return other
}

/** An object with the schema's keys in the schema's order, for every tier the same, so that all records share few hidden classes. */
export function objectOf(fields: readonly Field[], present: (field: Field) => boolean): string {
  return `{${fields.map((field, i) => (present(field) ? `${JSON.stringify(field.name)}:v${i},` : '')).join('')}}`
}

const readers = {
  number({ rule }: Field & { kind: 'number' }, v: string, fail: string, _: number, hint: Hint) {
    const finite = rule.int ? 'Number.isSafeInteger(n)' : 'n-n===0'
    const bounds = rule.bounds.map((bound) => bound.replace(/^v/, 'n'))
    // up to 15 digits are exact; a sign, a fraction, an exponent or more digits take the long way
    return `s=p;${readDigits(hint)}
      if(${notPlainInteger(hint)}){p=skipNumber(b,s,e);if(p<0)${fail};n=numberOf(b,s,p);if(!(${finite}))${fail};}
      ${bounds.length > 0 ? `if(!(${bounds.join('&&')}))${fail};` : ''}${v}=n;`
  },
  string({ rule }: Field & { kind: 'string' }, v: string, fail: string, _: number, hint: Hint) {
    const check = (length: string) => (rule.length > 0 ? `n=${length};if(!(${rule.join('&&')}))${fail};` : '')
    return `if(b[p]!==34)${fail};s=++p;${toSpecial('|x', hint)}
      if(b[p]===34){c=p-s;${v}=c===0?'':c<=${CACHED_BYTES_MAX}?strings.get(b,view,s,p):b.latin1Slice(s,p);p++;${check('c')}}
      else{p=skipString(b,p,e);if(p<0)${fail};${v}=stringOf(b,s,p);${check(`codePoints(${v})`)}}`
  },
  boolean(_: Field, v: string, fail: string) {
    return `if(${TRUE}){${v}=true;p+=4}else if(${FALSE}){${v}=false;p+=5}else ${fail};`
  },
  enum({ values }: Field & { kind: 'enum' }, v: string, fail: string) {
    const tests = values.map((value) => {
      const text = JSON.stringify(value)
      return `if(p+${byteLength(text)}<=e&&${sameBytes(text, 'p')}){${v}=${text};p+=${byteLength(text)}}else `
    })
    return `${tests.join('')}${fail};`
  },
  object: nestedReader,
  zod: nestedReader,
}

function nestedReader(_: Field, v: string, fail: string, i: number) {
  return `q=skipValue(b,p,e,0);if(q<0)${fail};${v}=nested[${i}](b,view,p,q);if(${v}===UNDECIDED)${fail};p=q;`
}

/** Makes x four bytes less '0', and m a word with the high bit of each byte that is no digit; the lowest such bit is always right. */
const digitMask = 'x=view.getInt32(p,true)^0x30303030;m=((x+0x76767676)|x)&0x80808080;'
/** The number of the four digits in x: pairs first, then both halves. */
const fourDigits = '(Math.imul((Math.imul(x,2561)>>>8)&0x00ff00ff,6553601)>>>16)'
/** Moves the digits before the first other byte to the upper end of x, zeros before them, and p after them; c is that byte's place. */
const partOfWord = 'c=Math.clz32(m&-m);x=(x<<8)<<c;p+=3-(c>>>3);'

/** Reads up to 15 digits into n, and p after them: four at a time, and the first eight in 32-bit integers. */
function readDigits({ long }: Hint): string {
  const more = long ? `${digitMask}if(m===0){n=n*10000+${fourDigits};p+=4}` : ''
  return `${digitMask}if(m!==0){${partOfWord}n=${fourDigits};}
    else{y=${fourDigits};p+=4;${digitMask}
      if(m!==0){${partOfWord}n=Math.imul(y,powersOfTen[3-(c>>>3)])+${fourDigits};}
      else{n=Math.imul(y,10000)+${fourDigits};p+=4;${more}while((c=b[p]-48)>=0&&c<=9&&p-s<15){n=n*10+c;p++}}
    }`
}

/** After digits from s to p: there is none, or a zero before others, or the number goes on. */
function notPlainInteger({ next }: Hint): string {
  return `p===s||${next === undefined ? 'numberByte[b[p]]!==0' : `b[p]!==${next}`}||(b[s]===48&&p-s>1)`
}

/**
 * Moves p to the first byte of a string that is a quote, a backslash or a control character (with `also` '|x': or not ASCII).
 * The test may also mark bytes above a marked one, by a borrow; the lowest marked byte is right.
 */
function toSpecial(also: string, { long }: Hint): string {
  const mark = (x: string) =>
    `(y=${x}^0x22222222,c=${x}^0x5c5c5c5c,((y-0x01010101)&~y)|((c-0x01010101)&~c)|((${x}-0x20202020)&~${x})${also.replace('x', x)})`
  const one = `for(;p<e;p+=4){x=view.getInt32(p,true);m=${mark('x')}&0x80808080;if(m!==0){p+=3-(Math.clz32(m&-m)>>>3);break}}`
  return long
    ? `for(;p<e;p+=8){x=view.getInt32(p,true);q=view.getInt32(p+4,true);if((${mark('x')}|${mark('q')})&0x80808080)break}${one}`
    : one
}
