import { StreamError } from '../../engine/errors.ts'
import type { Aggregators } from './aggregator.ts'
import { kept, safeToChange } from './custom-values.ts'
import type { FieldCode, FieldParts } from './field-code.ts'

/** What is kept for one key: one flat object for all aggregators of a pass; a plain value that a store can hold. */
export interface Accumulator {
  /** Records in it. */
  n: number
}

/** All aggregators of one pass as one. `create`, `add`, `remove` change nothing when they throw. */
export interface CompiledAggregate<T, Row> {
  /** Of one record. */
  create(record: T): Accumulator
  add(acc: Accumulator, record: T): void
  /** Takes out a record that was added; only with `retracts`. */
  remove(acc: Accumulator, record: T): void
  /** Adds all records of `other`, which stays as it is. */
  merge(acc: Accumulator, other: Accumulator): void
  /** Undoes a merge exactly; only if `invertible`. */
  unmerge(acc: Accumulator, other: Accumulator): void
  copy(acc: Accumulator): Accumulator
  /** A new row, from an accumulator with records. */
  row(acc: Accumulator): Row
  readonly invertible: boolean
}

/**
 * Writes the aggregators as straight code over one object shape. The functions are made anew at each call, so that each operator has its own
 * and the engine's optimiser sees one shape and one set of functions in them.
 * @param retracts records will be taken out again: every aggregator must be `retractable`.
 * Errors of the compiled functions: OPERATOR_THREW when a value is not of the type the aggregator takes; what the job's functions throw.
 */
export function compileAggregate<T, Row>(aggregators: Aggregators<T, Row>, { retracts = false } = {}): CompiledAggregate<T, Row> {
  const names = Object.keys(aggregators) as (keyof Row & string)[]
  const scope: Record<string, unknown> = { refuse, kept, safeToChange }
  const fields = names.map((name, i): Field => {
    const { type, how } = aggregators[name]
    if ('code' in how) {
      Object.assign(scope, how.helpers, { [`f${i}`]: how.value, [`what${i}`]: `${type} '${name}'` })
      return builtInField(how, i, retracts)
    }
    Object.assign(scope, { [`A${i}`]: how, [`what${i}`]: `${type} '${name}'` })
    return customField(i)
  })
  return build<T, Row>(names, fields, scope)
}

interface Field {
  readonly parts: FieldParts
  /** Statements that call the job's functions with the record `r`, before anything changes. */
  readonly reads: { readonly create: string; readonly add: string; readonly remove: string }
}

function builtInField<T>(how: FieldCode<T>, i: number, retracts: boolean): Field {
  const v = `v${i}`
  const refused = `refuse(what${i},${v})`
  const read =
    how.value === undefined
      ? ''
      : how.takes === 'number'
        ? `const ${v}=f${i}(r);if(typeof ${v}!=='number')${refused};`
        : // Of the two zeros one is kept, so that it doesn't matter which came first.
          `let ${v}=f${i}(r);if(typeof ${v}==='number')${v}+=0;else if(typeof ${v}!=='string')${refused};`
  const parts = retracts && how.retractableCode !== undefined ? how.retractableCode(i) : how.code(i)
  return { parts, reads: { create: read, add: read, remove: read } }
}

function customField(i: number): Field {
  const [a, v, A] = [`a${i}`, `v${i}`, `A${i}`]
  const change = (how: string) => `const ${v}=kept(what${i},${A}.${how}(safeToChange(${A},c.${a},r),r),c.${a});`
  return {
    parts: {
      create: `${a}:${v}`,
      add: `c.${a}=${v};`,
      remove: `c.${a}=${v};`,
      merge: `c.${a}=${A}.merge(c.${a},d.${a});`,
      copy: `${a}:${A}.merge(${A}.init(),d.${a})`,
      result: `${A}.result(c.${a})`,
    },
    reads: {
      create: `const ${v}=kept(what${i},${A}.add(${A}.init(),r));`,
      add: change('add'),
      remove: change('remove'),
    },
  }
}

function build<T, Row>(
  names: readonly string[],
  fields: readonly Field[],
  scope: Readonly<Record<string, unknown>>,
): CompiledAggregate<T, Row> {
  const reads = (kind: keyof Field['reads']) => fields.map((field) => field.reads[kind]).join('')
  const statements = (part: 'add' | 'remove' | 'merge' | 'unmerge') => fields.map((field) => field.parts[part] ?? '').join('')
  const literal = (part: 'create' | 'copy') => fields.map((field) => (field.parts[part] === '' ? '' : `,${field.parts[part]}`)).join('')
  const row = names.map((name, i) => `${propertyName(name)}:${fields[i]!.parts.result}`).join(',')
  const source = `'use strict';return{
    create(r){${reads('create')}return{n:1${literal('create')}}},
    add(c,r){${reads('add')}c.n++;${statements('add')}},
    remove(c,r){${reads('remove')}c.n--;${statements('remove')}},
    merge(c,d){c.n+=d.n;${statements('merge')}},
    unmerge(c,d){c.n-=d.n;${statements('unmerge')}},
    copy(d){return{n:d.n${literal('copy')}}},
    row(c){return{${row}}},
    invertible:${fields.every(({ parts }) => parts.unmerge !== undefined)}}`
  return new Function(...Object.keys(scope), source)(...Object.values(scope)) as CompiledAggregate<T, Row>
}

/** Plain where that is one and the same; computed names also take `__proto__` as any other. */
function propertyName(name: string): string {
  return /^[A-Za-z$][\w$]*$/.test(name) ? name : `[${JSON.stringify(name)}]`
}

function refuse(what: string, value: unknown): never {
  const seen = value instanceof Promise ? 'a promise' : value === null ? 'null' : `${typeof value} ${String(value)}`
  throw new StreamError('OPERATOR_THREW', { path: '$', message: `the function of ${what} gave ${seen}` })
}
