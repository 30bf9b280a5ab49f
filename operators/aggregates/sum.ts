import type { Aggregator } from './aggregator.ts'
import { addExact, copyExact, type ExactSum, exactSum, exactValue, mergeExact, removeExact } from './exact-sum.ts'
import type { FieldParts } from './field-code.ts'

/** The exact sum of a number of each record, rounded once at the end: it does not depend on order. */
export function sum<T>(value: (record: T) => number): Aggregator<T, number> {
  return { type: 'sum', retractable: true, how: { value, takes: 'number', helpers: sumHelpers, code: sumCode } }
}

export const sumHelpers = {
  MAX: Number.MAX_SAFE_INTEGER,
  trunc: Math.trunc,
  exactSum,
  addExact,
  removeExact,
  copyExact,
  exactValue,
  merged,
}

/**
 * `s` is the sum while all of it are integers and the sum is a safe one, so that plain addition is exact; then `x` is, and `s` is 0.
 * The result is the same function of the values either way.
 */
export function sumCode(i: number): FieldParts {
  const [s, x, v] = [`s${i}`, `x${i}`, `v${i}`]
  const exactInteger = (result: string) => `${result}<=MAX&&${result}>=-MAX`
  return {
    create: `${s}:${exactInteger(v)}&&trunc(${v})===${v}?${v}+0:0,${x}:${exactInteger(v)}&&trunc(${v})===${v}?undefined:exactSum(${v})`,
    add: `if(c.${x}!==undefined)addExact(c.${x},${v});else{const t=c.${s}+${v};if(${exactInteger('t')}&&trunc(${v})===${v})c.${s}=t;else{c.${x}=exactSum(c.${s},${v});c.${s}=0}}`,
    remove: `if(c.${x}!==undefined)removeExact(c.${x},${v});else{const t=c.${s}-${v};if(${exactInteger('t')}&&trunc(${v})===${v})c.${s}=t;else{c.${x}=exactSum(c.${s});removeExact(c.${x},${v});c.${s}=0}}`,
    merge: `{const t=c.${s}+d.${s};if(c.${x}===undefined&&d.${x}===undefined&&${exactInteger('t')})c.${s}=t;else{c.${x}=merged(c.${s},c.${x},d.${s},d.${x},1);c.${s}=0}}`,
    unmerge: `{const t=c.${s}-d.${s};if(c.${x}===undefined&&d.${x}===undefined&&${exactInteger('t')})c.${s}=t;else{c.${x}=merged(c.${s},c.${x},d.${s},d.${x},-1);c.${s}=0}}`,
    copy: `${s}:d.${s},${x}:d.${x}===undefined?undefined:copyExact(d.${x})`,
    result: `(c.${x}===undefined?c.${s}:exactValue(c.${x}))`,
  }
}

function merged(whole: number, exact: ExactSum | undefined, otherWhole: number, otherExact: ExactSum | undefined, sign: 1 | -1): ExactSum {
  const sum = exact ?? exactSum(whole)
  if (otherExact === undefined) addExact(sum, sign * otherWhole)
  else mergeExact(sum, otherExact, sign)
  return sum
}
