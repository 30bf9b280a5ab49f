import type { Field, Plan } from './plan.ts'
import type { StringCache } from './string-cache.ts'
import { type DecodeOne, declarations, objectOf, readField, scope } from './value-source.ts'
import { byteLength, sameBytes } from './word-source.ts'

/** With more optional fields than this the object is put together key by key. */
const LITERALS_OPTIONAL_MAX = 4

/**
 * The second tier: keys in any order, whitespace, undeclared keys of any depth. Gives UNDECIDED for everything else, above all for
 * repeated or escaped declared keys, missing fields and values that do not fit.
 */
export function compileAnyOrder(plan: Plan, nested: readonly (DecodeOne | undefined)[], strings: StringCache): DecodeOne {
  const required = requiredBits(plan.fields)
  const source = `'use strict';return function anyOrder(b,view,p,e){
    ${declarations(plan.fields)}let f=-1,seen=0;
    p=skipSpace(b,p,e);if(p>=e||b[p]!==123)return UNDECIDED;
    p=skipSpace(b,p+1,e);
    if(p<e&&b[p]===125)p++;
    else for(;;){
      if(p>=e||b[p]!==34)return UNDECIDED;
      s=++p;while(p<e&&skippable[b[p]]===0)p++;
      if(p>=e)return UNDECIDED;
      f=-1;
      if(b[p]===34){switch(p-s){${keySwitch(plan.fields)}}p++}
      else return UNDECIDED;
      p=skipSpace(b,p,e);if(p>=e||b[p]!==58)return UNDECIDED;
      p=skipSpace(b,p+1,e);if(p>=e)return UNDECIDED;
      if(f<0){${plan.strict ? 'return UNDECIDED' : 'p=skipValue(b,p,e,0);if(p<0)return UNDECIDED;'}}
      else{
        if(seen&(1<<f))return UNDECIDED;
        seen|=1<<f;
        switch(f){${plan.fields.map((field, i) => `case ${i}:${readField(field, i, 'return UNDECIDED')}break;`).join('\n')}}
      }
      p=skipSpace(b,p,e);if(p>=e)return UNDECIDED;
      c=b[p];
      if(c===44)p=skipSpace(b,p+1,e);
      else if(c===125){p++;break}
      else return UNDECIDED;
    }
    if(skipSpace(b,p,e)!==e||(seen&${required})!==${required})return UNDECIDED;
    ${build(plan.fields)}
  }`
  const names = scope(nested, strings)
  return new Function(...Object.keys(names), source)(...Object.values(names)) as DecodeOne
}

/**
 * Rebuilds what zod returned as the other tiers would have built it: same keys, same order, same values, same hidden class.
 * Only an object that lacks a key the other tiers always set (a catch or default that gave undefined) stays as it is.
 */
export function compileRebuild(plan: Plan): (value: object) => object {
  const reads = plan.fields.map((field, i) => {
    const key = JSON.stringify(field.name)
    return `let v${i};if(${key} in given){v${i}=given[${key}];seen|=1<<${i}}`
  })
  const required = requiredBits(plan.fields)
  return new Function(
    'given',
    `'use strict';let seen=0;${reads.join('')}if((seen&${required})!==${required})return given;${build(plan.fields)}`,
  ) as (value: object) => object
}

function keySwitch(fields: readonly Field[]): string {
  const lengths = [...new Set(fields.map(({ name }) => byteLength(name)))]
  return lengths
    .map((length) => {
      const tests = fields.map(({ name }, i) => (byteLength(name) === length ? `if(${sameBytes(name, 's') || 'true'})f=${i};` : ''))
      return `case ${length}:${tests.filter((test) => test !== '').join('else ')}break;`
    })
    .join('')
}

function build(fields: readonly Field[]): string {
  const optional = fields.filter((field) => field.optional)
  if (optional.length === 0) return `return ${objectOf(fields, () => true)}`
  if (optional.length > LITERALS_OPTIONAL_MAX) {
    return `const o={};${fields.map((field, i) => `${field.optional ? `if(seen&${1 << i})` : ''}o[${JSON.stringify(field.name)}]=v${i};`).join('')}return o`
  }
  const cases = subsets(optional).map((present) => {
    const has = (field: Field) => !field.optional || present.includes(field)
    return `case ${bitsOf(fields, (field) => field.optional && has(field))}:return ${objectOf(fields, has)};`
  })
  return `switch(seen&${bitsOf(fields, (field) => field.optional)}){${cases.join('')}}`
}

function bitsOf(fields: readonly Field[], chosen: (field: Field) => boolean): number {
  return fields.reduce((bits, field, i) => (chosen(field) ? bits | (1 << i) : bits), 0)
}

function requiredBits(fields: readonly Field[]): number {
  return bitsOf(fields, (field) => !field.optional)
}

function subsets<T>(items: readonly T[]): T[][] {
  const found: T[][] = [[]]
  for (const item of items) found.push(...found.map((subset) => [...subset, item]))
  return found
}
