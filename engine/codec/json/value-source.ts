import { CACHED_BYTES_MAX, StringCache } from './string-cache.ts'
import type { Field } from './plan.ts'
import { codePoints, numberOf, stringOf } from './scalar.ts'
import { numberByte, skipNumber, skipSpace, skippable, skipString, skipValue, stringByte } from './scan.ts'
import { byteLength, sameBytes } from './word-source.ts'

/*
 * Source text of the generated decoders. Names in it:
 *   b, view   the bytes, as Buffer and as DataView         p, e   the position, and the record's end
 *   s, q, c, x, y, n   scratch                             v0 v1 ...   the fields' values, in the schema's order
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
    UNDECIDED, nested, strings, stringByte, skippable, numberByte,
    skipSpace, skipString, skipNumber, skipValue, numberOf, stringOf, codePoints,
  }
}

/** The names a generated decoder declares before its first reader. */
export function declarations(fields: readonly Field[]): string {
  return `let s=0,q=0,c=0,x=0,y=0,n=0${fields.map((_, i) => `,v${i}`).join('')};`
}

const NULL = sameBytes('null', 'p')
const TRUE = sameBytes('true', 'p')
const FALSE = sameBytes('false', 'p')

/** Reads the value of field `i`. `long`: the values seen were long ones, which is only a matter of speed. */
export function readField(field: Field, i: number, fail: string, long = false): string {
  const read = readers[field.kind](field as never, `v${i}`, fail, i, long)
  return field.nullable ? `if(${NULL}){v${i}=null;p+=4}else{${read}}` : read
}

/** Steps over a value whose key is not declared. `seen` is the first byte of such a value in an earlier record. */
export function skipUnknown(seen: number, fail: string, long: boolean): string {
  const other = `{p=skipValue(b,p,e,0);if(p<0)${fail};}`
  if (seen === 34) {
    return `if(b[p]===34){p++;${long ? skipWords('') : ''}while(p<e&&skippable[b[p]]===0)p++;
      if(b[p]===34)p++;else{p=skipString(b,p,e);if(p<0)${fail};}}else${other}`
  }
  if (seen >= 48 && seen <= 57) {
    return `s=p;${long ? digitWords('') : ''}while(p<e&&(c=b[p]-48)>=0&&c<=9)p++;
      if(p===s||numberByte[b[p]]!==0||(b[s]===48&&p-s>1)){p=skipValue(b,s,e,0);if(p<0)${fail};}`
  }
  return other
}

/** An object with the schema's keys in the schema's order, for every tier the same, so that all records share few hidden classes. */
export function objectOf(fields: readonly Field[], present: (field: Field) => boolean): string {
  return `{${fields.map((field, i) => (present(field) ? `${JSON.stringify(field.name)}:v${i},` : '')).join('')}}`
}

const readers = {
  number({ rule }: Field & { kind: 'number' }, v: string, fail: string, _: number, long: boolean) {
    const finite = rule.int ? 'Number.isSafeInteger(n)' : 'n-n===0'
    const bounds = rule.bounds.map((bound) => bound.replace(/^v/, 'n'))
    // up to 15 digits are exact; a sign, a fraction, an exponent or more digits take the long way
    return `s=p;n=0;${long ? digitWords('n=n*10000+(Math.imul(x,6553601)>>>16);') : ''}
      while((c=b[p]-48)>=0&&c<=9&&p-s<15){n=n*10+c;p++}
      if(p===s||numberByte[b[p]]!==0||(b[s]===48&&p-s>1)){p=skipNumber(b,s,e);if(p<0)${fail};n=numberOf(b,s,p);if(!(${finite}))${fail};}
      ${bounds.length > 0 ? `if(!(${bounds.join('&&')}))${fail};` : ''}${v}=n;`
  },
  string({ rule }: Field & { kind: 'string' }, v: string, fail: string, _: number, long: boolean) {
    const check = (length: string) => (rule.length > 0 ? `n=${length};if(!(${rule.join('&&')}))${fail};` : '')
    return `if(b[p]!==34)${fail};s=++p;${long ? skipWords('|x') : ''}while(p<e&&stringByte[b[p]]===0)p++;
      if(b[p]===34){n=p-s;${v}=n===0?'':n<=${CACHED_BYTES_MAX}?strings.get(b,view,s,p):b.latin1Slice(s,p);p++;${check('n')}}
      else{p=skipString(b,p,e);if(p<0)${fail};${v}=stringOf(b,s,p);${check(`codePoints(${v})`)}}`
  },
  boolean(_: Field, v: string, fail: string) {
    return `if(${TRUE}){${v}=true;p+=4}else if(${FALSE}){${v}=false;p+=5}else ${fail};`
  },
  enum({ values }: Field & { kind: 'enum' }, v: string, fail: string) {
    return values.map((value) => {
      const text = JSON.stringify(value)
      return `if(p+${byteLength(text)}<=e&&${sameBytes(text, 'p')}){${v}=${text};p+=${byteLength(text)}}else `
    }).join('') + `${fail};`
  },
  object: nestedReader,
  zod: nestedReader,
}

function nestedReader(_: Field, v: string, fail: string, i: number) {
  return `q=skipValue(b,p,e,0);if(q<0)${fail};${v}=nested[${i}](b,view,p,q);if(${v}===UNDECIDED)${fail};p=q;`
}

/** Steps over digits four at a time; `each` may use x, which then holds the word's two halves as numbers. At most 12 digits. */
function digitWords(each: string): string {
  return `for(q=p+12;p<q&&p<e;p+=4){x=view.getInt32(p,true);
    if((((x&0xf0f0f0f0)|(((x+0x06060606)&0xf0f0f0f0)>>>4))|0)!==0x33333333)break;
    ${each && `x=(Math.imul(x&0x0f0f0f0f,2561)>>>8)&0x00ff00ff;${each}`}}`
}

/** Steps over a string four bytes at a time, up to a word with a quote, a backslash or a control character (or `also`'s high bits). */
function skipWords(also: string): string {
  return `for(;p<e;p+=4){x=view.getInt32(p,true);y=x^0x22222222;c=x^0x5c5c5c5c;
    if((((y-0x01010101)&~y)|((c-0x01010101)&~c)|((x-0x20202020)&~x)${also})&0x80808080)break}`
}
