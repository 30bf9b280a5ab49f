import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { codeOf } from '../../../engine/errors.ts'
import { type Aggregators, aggregator, reduce } from '../../../operators/aggregates/aggregator.ts'
import { avg } from '../../../operators/aggregates/avg.ts'
import { compileAggregate } from '../../../operators/aggregates/compile.ts'
import { count } from '../../../operators/aggregates/count.ts'
import { max, min } from '../../../operators/aggregates/extremes.ts'
import { sum } from '../../../operators/aggregates/sum.ts'

interface Sale {
  readonly amount: number
  readonly name: string
}

const all = {
  sales: count(),
  total: sum((sale: Sale) => sale.amount),
  mean: avg((sale: Sale) => sale.amount),
  least: min((sale: Sale) => sale.amount),
  most: max((sale: Sale) => sale.amount),
  first: min((sale: Sale): string | number => sale.name),
  last: max((sale: Sale): string | number => (sale.name === 'b' ? sale.amount : sale.name)),
  names: aggregator({
    init: () => ({ names: [] as string[] }),
    add(acc: { names: string[] }, sale: Sale) {
      acc.names.push(sale.name)
      return acc
    },
    merge(acc, other) {
      acc.names.push(...other.names)
      return acc
    },
    remove(acc, sale) {
      acc.names.splice(acc.names.indexOf(sale.name), 1)
      return acc
    },
    result: ({ names }) => names.toSorted().join(''),
  }),
}
type Row = { [Field in keyof typeof all]: unknown }

/** Straight from the list. */
function expected(sales: readonly Sale[]): Row {
  const amounts = sales.map(({ amount }) => amount)
  const total = Number(amounts.reduce((units, amount) => units + BigInt(amount * 2 ** 20), 0n)) / 2 ** 20
  const names = sales.map(({ name }) => name).sort()
  const texts = names.filter((name) => name !== 'b')
  const numbers = sales.filter(({ name }) => name === 'b').map(({ amount }) => amount)
  return {
    sales: sales.length,
    total,
    mean: total / sales.length,
    least: Math.min(...amounts) + 0,
    most: Math.max(...amounts) + 0,
    first: names[0],
    last: texts.length > 0 ? texts[texts.length - 1] : Math.max(...numbers) + 0,
    names: names.join(''),
  }
}

const amount = fc.oneof(
  fc.integer({ min: -5, max: 5 }),
  fc.integer(),
  fc.integer({ max: 2 ** 31 - 1 }).map((n) => n * 2 ** -20),
  fc.constantFrom(-0, 2 ** 53, -(2 ** 53), 2 ** 53 - 1),
)
const sale: fc.Arbitrary<Sale> = fc.record({ amount, name: fc.constantFrom('a', 'b', 'c') })
const sales = fc.array(sale, { minLength: 1, maxLength: 12 })

describe('a compiled aggregate', () => {
  for (const retracts of [false, true]) {
    test(`gives what the list of its records says, added or merged in any grouping${retracts ? ', kept for retractions' : ''}`, () => {
      fc.assert(
        fc.property(sales, fc.array(sales, { maxLength: 3 }), (list, others) => {
          const compiled = compileAggregate<Sale, Row>(all, { retracts })
          const of = (list: readonly Sale[]) => {
            const acc = compiled.create(list[0]!)
            for (const each of list.slice(1)) compiled.add(acc, each)
            return acc
          }
          const acc = of(list)
          expect(compiled.row(acc)).toEqual(expected(list))
          const parts = others.map(of)
          const whole = compiled.copy(acc)
          for (const part of parts) compiled.merge(whole, part)
          expect(compiled.row(whole)).toEqual(expected([...list, ...others.flat()]))
          expect(compiled.row(acc)).toEqual(expected(list))
          expect(parts.map((part) => compiled.row(part))).toEqual(others.map(expected))
        }),
      )
    })
  }

  test('takes records out again, in any order', () => {
    fc.assert(
      fc.property(sales, fc.shuffledSubarray([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]), (list, order) => {
        const compiled = compileAggregate<Sale, Row>(all, { retracts: true })
        const acc = compiled.create(list[0]!)
        for (const each of list.slice(1)) compiled.add(acc, each)
        const left = [...list]
        for (const i of order.filter((i) => i < list.length)) {
          compiled.remove(acc, list[i]!)
          left.splice(left.indexOf(list[i]!), 1)
          expect(acc.n).toBe(left.length)
          if (left.length > 0) expect(compiled.row(acc)).toEqual(expected(left))
        }
      }),
    )
  })

  test('undoes merges exactly where it says so', () => {
    const numbers = { sales: count(), total: sum((sale: Sale) => sale.amount), mean: avg((sale: Sale) => sale.amount * 0.1) }
    fc.assert(
      fc.property(sales, sales, (list, others) => {
        const compiled = compileAggregate<Sale, { [Field in keyof typeof numbers]: number }>(numbers)
        expect(compiled.invertible).toBe(true)
        const [acc, other] = [list, others].map((records) => {
          const made = compiled.create(records[0]!)
          for (const each of records.slice(1)) compiled.add(made, each)
          return made
        }) as [ReturnType<typeof compiled.create>, ReturnType<typeof compiled.create>]
        const before = compiled.row(acc)
        compiled.merge(acc, other)
        compiled.unmerge(acc, other)
        expect(compiled.row(acc)).toEqual(before)
      }),
    )
    expect(compileAggregate<Sale, Row>(all).invertible).toBe(false)
  })

  test('changes nothing when a function of the job throws or gives something else than a number', () => {
    for (const wrong of [undefined, null, true, 1n, Promise.resolve(1)]) {
      const compiled = compileAggregate<Sale, Record<string, unknown>>({
        sales: count(),
        total: sum((sale) => sale.amount),
        reduced: reduce({ init: () => 0, add: (n: number, sale: Sale) => n + sale.amount, merge: (a: number, b: number) => a + b }),
        most: max((sale) => (sale.name === 'wrong' ? (wrong as unknown as number) : sale.amount)),
      })
      const acc = compiled.create({ amount: 1, name: 'a' })
      const before = structuredClone(acc)
      const add = () => compiled.add(acc, { amount: 2, name: 'wrong' })
      expect(add).toThrow(/max 'most'/)
      try {
        add()
      } catch (error) {
        expect(codeOf(error)).toBe('OPERATOR_THREW')
      }
      expect(acc).toEqual(before)
    }
  })

  test('takes any text as the name of a field', () => {
    const names = ['__proto__', 'a b', "it's", '"', '\u2028', 'constructor', 'class', '1', '`x`']
    const fields = Object.fromEntries(names.map((name) => [name, count()])) as Aggregators<Sale, Record<string, number>>
    const compiled = compileAggregate(fields)
    const row = compiled.row(compiled.create({ amount: 1, name: 'a' }))
    expect(Object.keys(row).sort()).toEqual([...names].sort())
    expect(Object.getPrototypeOf(row)).toBe(Object.prototype)
  })

  test('an extreme with NaN in it is NaN, whatever came first', () => {
    for (const retracts of [false, true]) {
      const compiled = compileAggregate<number, Record<string, unknown>>(
        { least: min((n: number) => n), most: max((n: number) => n) },
        { retracts },
      )
      for (const order of [
        [Number.NaN, 1, 2],
        [1, Number.NaN, 2],
        [2, 1, Number.NaN],
      ]) {
        const acc = compiled.create(order[0]!)
        compiled.add(acc, order[1]!)
        compiled.add(acc, order[2]!)
        expect(compiled.row(acc)).toEqual({ least: Number.NaN, most: Number.NaN })
        if (!retracts) continue
        compiled.remove(acc, Number.NaN)
        expect(compiled.row(acc)).toEqual({ least: 1, most: 2 })
      }
    }
  })

  test('keeps plain values that a store can hold and give back', () => {
    const compiled = compileAggregate<Sale, Row>(all)
    const acc = compiled.create({ amount: 0.1, name: 'a' })
    compiled.add(acc, { amount: 0.2, name: 'b' })
    const back = structuredClone(acc)
    expect(back).toEqual(acc)
    compiled.add(back, { amount: 1e300, name: 'c' })
    expect(compiled.row(back)).toMatchObject({ sales: 3, total: 1e300 })
  })

  describe('refuses what a store can not hold, with the record that brought it', () => {
    const code = (work: () => void): unknown => {
      try {
        work()
      } catch (error) {
        return codeOf(error)
      }
      return undefined
    }
    const collect = aggregator({
      init: () => [] as unknown[],
      add(list: unknown[], value: unknown) {
        list.push(value)
        return list
      },
      remove(list, value) {
        list.splice(list.indexOf(value), 1)
        return list
      },
      merge(list, others) {
        list.push(...others)
        return list
      },
      result: (list) => list.length,
    })

    test('a new accumulator', () => {
      const compiled = compileAggregate({ n: aggregator({ ...collect.how, init: () => new (class List extends Array {})() } as never) })
      expect(code(() => compiled.create(1))).toBe('STATE_VALUE_UNSUPPORTED')
    })

    test('a record put into one in place: it is not in it afterwards', () => {
      const compiled = compileAggregate({ n: collect, seen: count() })
      const acc = compiled.create(1)
      expect(code(() => compiled.add(acc, { f: () => 1 }))).toBe('STATE_VALUE_UNSUPPORTED')
      compiled.add(acc, { x: 2 })
      expect(acc).toMatchObject({ n: 2, a0: [1, { x: 2 }] })
    })

    test('a record of which only plain data is taken is taken', () => {
      const compiled = compileAggregate<{ n: number; f: () => number }, { n: unknown }>({
        n: reduce({ init: () => ({ n: 0 }), add: (acc, { n }: { n: number }) => ({ n: acc.n + n }), merge: (a, b) => ({ n: a.n + b.n }) }),
      })
      const acc = compiled.create({ n: 1, f: () => 1 })
      compiled.add(acc, { n: 2, f: () => 1 })
      expect(compiled.row(acc)).toEqual({ n: { n: 3 } })
    })

    test('a value that gets deeper with each record', () => {
      const chain = reduce<number, unknown>({ init: () => null, add: (before, n) => [n, before], merge: (a, b) => [a, b] })
      const compiled = compileAggregate<number, { chain: unknown }>({ chain })
      const acc = compiled.create(0)
      for (let n = 1; n < 184; n++) compiled.add(acc, n)
      expect(code(() => compiled.add(acc, 184))).toBe('STATE_VALUE_UNSUPPORTED')
      expect(acc.n).toBe(184)
    })
  })
})
