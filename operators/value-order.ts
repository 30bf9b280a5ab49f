/**
 * A total order of values that state may hold, by content: equal exactly if no program could tell the two apart (but for the order of an object's
 * properties). Used where nothing else orders two records, so that results don't depend on which came first.
 */
export function compareValues(a: unknown, b: unknown): number {
  if (Object.is(a, b)) return 0
  const rank = rankOf(a)
  if (rank !== rankOf(b)) return rank - rankOf(b)
  switch (rank) {
    case 2:
    case 4:
    case 5:
      return (a as string) < (b as string) ? -1 : 1
    case 3:
      return compareNumbers(a as number, b as number)
    case 6:
      return compareNumbers(Number(a), Number(b))
    case 7:
      return compareLists([...(a as Uint8Array)], [...(b as Uint8Array)])
    case 8:
      return compareLists(a as unknown[], b as unknown[])
    case 9:
      return compareLists([...(a as Map<unknown, unknown>)], [...(b as Map<unknown, unknown>)])
    case 10:
      return compareLists([...(a as Set<unknown>)], [...(b as Set<unknown>)])
    default:
      return compareLists(entriesOf(a as object), entriesOf(b as object))
  }
}

const plainTypes: readonly string[] = ['boolean', 'number', 'bigint', 'string']

function rankOf(value: unknown): number {
  if (value === undefined) return 0
  if (value === null) return 1
  const plain = plainTypes.indexOf(typeof value)
  if (plain >= 0) return 2 + plain
  // Values may come from the job's own realm of objects: they are told apart by what they are called, not by class.
  const tag = Object.prototype.toString.call(value)
  if (tag === '[object Date]') return 6
  if (tag === '[object Uint8Array]') return 7
  if (Array.isArray(value)) return 8
  if (tag === '[object Map]') return 9
  return tag === '[object Set]' ? 10 : 11
}

/** -0 comes before 0, NaN after all others. */
function compareNumbers(a: number, b: number): number {
  if (a < b) return -1
  if (a > b) return 1
  if (a === b) return Object.is(a, b) ? 0 : Object.is(a, -0) ? -1 : 1
  return Number.isNaN(a) ? (Number.isNaN(b) ? 0 : 1) : -1
}

function compareLists(a: readonly unknown[], b: readonly unknown[]): number {
  for (let i = 0; i < a.length && i < b.length; i++) {
    const order = compareValues(a[i], b[i])
    if (order !== 0) return order
  }
  return a.length - b.length
}

function entriesOf(value: object): unknown[] {
  return Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
}
