import type { Aggregator } from './aggregator.ts'
import type { FieldParts } from './field-code.ts'
import { addValue, mergeValues, removeValue } from './value-counts.ts'

type Comparable = number | string

/** The lowest value; strings come after numbers. NaN if there is one. */
export function min<T, V extends Comparable = number>(value: (record: T) => V): Aggregator<T, V> {
  return extreme('min', value)
}

/** The highest value; strings come after numbers. NaN if there is one. */
export function max<T, V extends Comparable = number>(value: (record: T) => V): Aggregator<T, V> {
  return extreme('max', value)
}

function extreme<T, V extends Comparable>(type: 'min' | 'max', value: (record: T) => V): Aggregator<T, V> {
  return {
    type,
    retractable: true,
    how: {
      value,
      takes: 'comparable',
      helpers: { below, above, lowest, highest, addValue, removeValue, mergeValues },
      code: (i) => (type === 'min' ? extremeCode(i, '<', 'below') : extremeCode(i, '>', 'above')),
      retractableCode: (i) => retractableCode(i, type === 'min' ? 'lowest' : 'highest'),
    },
  }
}

/** Keeps the extreme alone. */
function extremeCode(i: number, sign: '<' | '>', beats: string): FieldParts {
  const take = (v: string) =>
    `if(typeof ${v}==='number'&&typeof c.m${i}==='number'?${v}${sign}c.m${i}||${v}!==${v}:${beats}(${v},c.m${i}))c.m${i}=${v};`
  return { create: `m${i}:v${i}`, add: take(`v${i}`), merge: `{const w=d.m${i};${take('w')}}`, copy: `m${i}:d.m${i}`, result: `c.m${i}` }
}

/** Keeps every different value and how often it came. */
function retractableCode(i: number, best: string): FieldParts {
  return {
    create: `m${i}:[v${i}],k${i}:[1]`,
    add: `addValue(c.m${i},c.k${i},v${i},1);`,
    remove: `removeValue(c.m${i},c.k${i},v${i});`,
    merge: `mergeValues(c.m${i},c.k${i},d.m${i},d.k${i});`,
    copy: `m${i}:d.m${i}.slice(),k${i}:d.k${i}.slice()`,
    result: `${best}(c.m${i})`,
  }
}

/** Where not both are numbers. */
function above(a: Comparable, b: Comparable): boolean {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a)
  return typeof a === typeof b ? a > b : typeof a === 'string'
}

function below(a: Comparable, b: Comparable): boolean {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a)
  return typeof a === typeof b ? a < b : typeof a === 'number'
}

/** NaN stands last in the list. */
function lowest(values: readonly Comparable[]): Comparable {
  const last = values[values.length - 1]!
  return Number.isNaN(last) ? last : values[0]!
}

function highest(values: readonly Comparable[]): Comparable {
  return values[values.length - 1]!
}
