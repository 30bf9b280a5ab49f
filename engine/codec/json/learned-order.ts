import type { KeyOrder } from './key-order.ts'
import type { Plan } from './plan.ts'
import type { StringCache } from './string-cache.ts'
import { type DecodeOne, declarations, objectOf, readField, scope, skipUnknown } from './value-source.ts'
import { sameBytes } from './word-source.ts'

/**
 * Decodes values `from` <= i < `to` into out[i + shift] as long as they have one key order.
 * @returns the first i that has not, or `to`.
 */
export type DecodeRun = (
  bytes: Buffer,
  view: DataView,
  base: number,
  ends: Uint32Array,
  endsAt: number,
  from: number,
  to: number,
  out: unknown[],
  shift: number,
) => number

/** Values of at least this many bytes are worth stepping over in words. */
const LONG_NUMBER_BYTES = 12
const LONG_STRING_BYTES = 16

/**
 * The first tier: a straight line of "these bytes, then that value" for one learned key order, looping over a whole block.
 * All that lies between the values is compared byte by byte, so what passes is JSON with exactly the learned keys.
 */
export function compileOrder(plan: Plan, order: KeyOrder, nested: readonly (DecodeOne | undefined)[], strings: StringCache): DecodeRun {
  const present = new Set(order.members.map((member) => plan.fields[member.field]))
  const line = order.members.map(({ lead, field, firstByte, length }, i) => {
    const hint = {
      long: length >= (firstByte === 34 ? LONG_STRING_BYTES : LONG_NUMBER_BYTES),
      next: (order.members[i + 1]?.lead ?? order.tail)[0],
    }
    const known = plan.fields[field]
    return expect(lead) + (known ? readField(known, field, 'return i', hint) : skipUnknown(firstByte, 'return i', hint))
  })
  const source = `'use strict';return function inOrder(b,view,base,ends,endsAt,from,to,out,shift){
    ${declarations(plan.fields)}
    let p=0,e=from===0?base:base+ends[endsAt+from-1];
    for(let i=from;i<to;i++){
      p=e;e=base+ends[endsAt+i];
      ${line.join('\n')}
      ${expect(order.tail)}
      if(p!==e)return i;
      out[i+shift]=${objectOf(plan.fields, (field) => present.has(field))};
    }
    return to;
  }`
  const names = scope(nested, strings)
  return new Function(...Object.keys(names), source)(...Object.values(names)) as DecodeRun
}

function expect(lead: Uint8Array): string {
  return lead.length === 0 ? '' : `if(p+${lead.length}>e||!(${sameBytes(lead, 'p')}))return i;p+=${lead.length};`
}
