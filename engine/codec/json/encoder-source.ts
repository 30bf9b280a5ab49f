import type { ByteSink } from '../../block/byte-sink.ts'
import type { Field, Plan } from './plan.ts'
import { codePoints } from './scalar.ts'
import { byteLength, writeBytes } from './word-source.ts'
import { NUMBER_BYTES_MAX, writeNumber } from './write-number.ts'
import { writeString } from './write-string.ts'

/**
 * Writes one value at out.at. False when it is not certain that zod takes it: then out.at is as it was, and zod must look.
 * The value is read once, in the schema's order.
 */
export type TryEncode = (value: unknown, out: ByteSink) => boolean

/**
 * Compiles a plan into a function that checks and writes a value straight into the sink, with the bytes JSON.stringify gives for the
 * declared fields in the schema's order. `nested` holds the encoders of object and zod fields by field number.
 */
export function compileEncode({ fields }: Plan, nested: readonly (TryEncode | undefined)[]): TryEncode {
  const checks = fields.map((field, i) => {
    const accepted = [
      ...(field.optional ? [absent(field, i)] : []),
      ...(field.nullable ? [`v${i}===null`] : []),
      checkers[field.kind](field as never, `v${i}`),
    ]
    return `const v${i}=o[${JSON.stringify(field.name)}];if(!(${accepted.join('||')}))return false;`
  })
  // with an optional first field every member begins with a comma, and the first one becomes the brace
  const commaFirst = fields[0]?.optional ?? false
  const writes = fields.map((field, i) => {
    const lead = `${i === 0 && !commaFirst ? '{' : ','}${JSON.stringify(field.name)}:`
    const value = writers[field.kind](field as never, `v${i}`, i)
    const nullable = field.nullable ? `if(v${i}===null){${writeBytes('null', 'p')}p+=4}else{${value}}` : value
    const member = `${writeBytes(lead, 'p')}p+=${byteLength(lead)};${nullable}`
    return field.optional ? `if(v${i}!==undefined){${member}}` : member
  })
  const open = fields.length === 0 ? `b[p++]=123;` : commaFirst ? `if(p===start)p++;b[start]=123;` : ''
  const source = `'use strict';const room=${roomOf(fields)};return function encode(o,out){
    if(typeof o!=='object'||o===null||Array.isArray(o))return false;
    let n=0;
    ${checks.join('\n')}
    out.need(room);
    let b=out.buf,view=out.view,p=out.at;const start=p;
    ${writes.join('\n')}
    ${open}b[p++]=125;
    out.at=p;return true;
  }`
  const names = { nested, codePoints, writeNumber, writeString }
  return new Function(...Object.keys(names), source)(...Object.values(names)) as TryEncode
}

/** A key that is missing or undefined; of a schema that is not compiled only a missing one, as it may not take undefined. */
function absent(field: Field, i: number): string {
  return field.kind === 'zod' ? `(v${i}===undefined&&!(${JSON.stringify(field.name)} in o))` : `v${i}===undefined`
}

const checkers = {
  number({ rule }: Field & { kind: 'number' }, v: string) {
    const bounds = rule.bounds.map((bound) => `&&${bound.replace(/^v/, v)}`)
    return `(typeof ${v}==='number'&&${rule.int ? `Number.isSafeInteger(${v})` : `${v}-${v}===0`}${bounds.join('')})`
  },
  string({ rule }: Field & { kind: 'string' }, v: string) {
    return `(typeof ${v}==='string'${rule.length > 0 ? `&&(n=codePoints(${v}),${rule.join('&&')})` : ''})`
  },
  boolean: (_: Field, v: string) => `typeof ${v}==='boolean'`,
  enum: ({ values }: Field & { kind: 'enum' }, v: string) => values.map((value) => `${v}===${JSON.stringify(value)}`).join('||') || 'false',
  object: (_: Field, v: string) => `${v}!==undefined`,
  zod: (_: Field, v: string) => `${v}!==undefined`,
}

const writers = {
  number: (_: Field, v: string) => `p=writeNumber(b,view,p,${v});`,
  string: (_: Field, v: string) => `p=writeString(out,p,${v},room);b=out.buf;view=out.view;`,
  boolean: (_: Field, v: string) => `if(${v}){${writeText('true')}}else{${writeText('false')}}`,
  enum: ({ values }: Field & { kind: 'enum' }, v: string) =>
    `${values.map((value) => `if(${v}===${JSON.stringify(value)}){${writeText(JSON.stringify(value))}}`).join('else ')}`,
  object: writeNested,
  zod: writeNested,
}

function writeText(text: string): string {
  return `${writeBytes(text, 'p')}p+=${byteLength(text)};`
}

function writeNested(_: Field, v: string, i: number): string {
  return `out.at=p;if(!nested[${i}](${v},out)){out.at=start;return false}out.need(room);p=out.at;b=out.buf;view=out.view;`
}

/** Bytes for everything of bounded length; strings and nested values ask for their own and leave this much free. */
function roomOf(fields: readonly Field[]): number {
  return fields.reduce((room, field) => room + byteLength(JSON.stringify(field.name)) + 2 + valueRoom(field), 2)
}

function valueRoom(field: Field): number {
  if (field.kind === 'number') return NUMBER_BYTES_MAX
  // 'null' and 'false' are the others
  return field.kind === 'enum' ? Math.max(4, ...field.values.map((text) => text.length + 2)) : 5
}
