/**
 * Window operators alone, in memory: `npx tsx bench/windows.ts [records]`. Nanoseconds of processor time per input record, firing and its order included, against a
 * bare loop that reads the same records. Keys move on as auctions do: 600 new ones a second, 9 200 records a second, slices of 4 096 records.
 * Not measured: decoding, encoding, the real stores and checkpoints; late, idle or out-of-order input.
 */
import type { Key } from '../engine/model/record.ts'
import type { Moment, OperatorContext } from '../engine/task/operator.ts'
import type { Aggregators } from '../operators/aggregates/aggregator.ts'
import { count } from '../operators/aggregates/count.ts'
import { max } from '../operators/aggregates/extremes.ts'
import { sum } from '../operators/aggregates/sum.ts'
import { session, sliding, tumbling, type WindowOutput, type WindowSpec } from '../operators/windows/spec.ts'
import { windowOperator } from '../operators/windows/window-operator.ts'
import { MemoryStores } from '../test/support/memory-stores.ts'
import { Random } from '../test/support/random.ts'
import { median } from './statistics.ts'

const records = Number(process.argv[2] ?? 600_000)
const only = process.argv[3]
const rounds = 5
const sliceRecords = 4096

interface Bid {
  readonly auction: number
  readonly price: number
  readonly rate: number
}

const random = new Random(7)
const times = new Float64Array(records)
const bids: Bid[] = []
const numberKeys: Key[] = []
for (let i = 0; i < records; i++) {
  const at = 1_700_000_000_000 + Math.floor(i / 9.2)
  times[i] = at
  const auction = 1000 + Math.floor((i / 9200) * 600) - Math.floor(random.next() ** 2 * 300)
  bids.push({ auction, price: 1 + random.int(1_000_000), rate: random.next() * 100 })
  numberKeys.push(auction)
}
// New flat strings each round, as a decoder makes them: no hash is known yet.
const stringKeys = () => numberKeys.map((key) => Buffer.from(`auction-${key}`).latin1Slice())

const countSum = { bids: count(), total: sum((bid: Bid) => bid.price) }
const floatSum = { bids: count(), total: sum((bid: Bid) => bid.rate) }
const withMax = { ...countSum, highest: max((bid: Bid) => bid.price) }

bench('tumbling 10s', tumbling('10s'), countSum)
bench('tumbling 10s, string keys', tumbling('10s'), countSum, stringKeys)
bench('tumbling 10s, floats', tumbling('10s'), floatSum)
bench('tumbling 10s, and max', tumbling('10s'), withMax)
bench('sliding 10s/2s', sliding('10s', '2s'), countSum)
bench('sliding 10s/2s, string keys', sliding('10s', '2s'), countSum, stringKeys)
bench('sliding 10s/2s, floats', sliding('10s', '2s'), floatSum)
bench('sliding 10s/2s, and max', sliding('10s', '2s'), withMax)
bench('sliding 60s/1s', sliding('60s', '1s'), countSum)
bench('sliding 60s/1s, string keys', sliding('60s', '1s'), countSum, stringKeys)
bench('sliding 60s/1s, and max', sliding('60s', '1s'), withMax)
bench('session 10s', session('10s'), countSum)
bench('session 10s, string keys', session('10s'), countSum, stringKeys)
bench('session 100ms', session('100ms'), countSum)

function bench<Row>(name: string, spec: WindowSpec, aggregators: Aggregators<Bid, Row>, keysOf = () => numberKeys): void {
  if (only !== undefined && !name.includes(only)) return
  const bare: number[] = []
  const spent: number[] = []
  let outputs = 0
  for (let round = -1; round < rounds; round++) {
    const keys = keysOf()
    const start = cpuMs()
    bareLoop(keys)
    const middle = cpuMs()
    outputs = run(spec, aggregators, keys)
    const end = cpuMs()
    if (round < 0) continue
    bare.push(middle - start)
    spent.push(end - middle)
  }
  const ns = (values: readonly number[]) => ((median(values) * 1e6) / records).toFixed(0).padStart(5)
  const range = `${((Math.min(...spent) * 1e6) / records).toFixed(0)}-${((Math.max(...spent) * 1e6) / records).toFixed(0)}`
  console.log(
    `${name.padEnd(28)} ${ns(spent)} ns (${range}), bare loop ${ns(bare)} ns, ${(outputs / records).toFixed(3)} outputs per record`,
  )
}

/** Processor time of this process: other work on the machine disturbs it less than the clock. Includes what the garbage collector's threads take. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function run<Row>(spec: WindowSpec, aggregators: Aggregators<Bid, Row>, keys: readonly Key[]): number {
  let outputs = 0
  let seen = 0
  const moment: Moment = {
    key: undefined,
    eventTime: 0,
    stamp: -Infinity,
    appendTime: 0,
    topic: '',
    partition: 0,
    offset: 0,
    rank: 0,
    retract: false,
    headers: () => [],
  }
  const time = { watermark: -Infinity, processing: -Infinity }
  const context: OperatorContext = {
    name: 'windows',
    moment,
    stores: new MemoryStores(),
    emit(value) {
      outputs++
      const { row, window } = value as WindowOutput<{ bids: number }>
      seen += row.bids + window.start
    },
    emitTo() {},
    late() {},
    bad(_, error) {
      throw error
    },
    budget: { left: Number.POSITIVE_INFINITY },
    time,
    present() {},
  }
  const operator = windowOperator(spec, aggregators)(context)
  operator.open?.()
  for (let from = 0; from < records; from += sliceRecords) {
    const to = Math.min(records, from + sliceRecords)
    for (let i = from; i < to; i++) {
      moment.key = keys[i]!
      moment.eventTime = times[i]!
      moment.stamp = time.watermark
      operator.process(bids[i], 0)
    }
    time.watermark = times[to - 1]!
    operator.advance!(time)
  }
  operator.advance!({ watermark: Infinity, processing: Infinity })
  if (Number.isNaN(seen)) throw new Error('a row was not complete')
  return outputs
}

function bareLoop(keys: readonly Key[]): void {
  let total = 0
  for (let i = 0; i < records; i++) if (keys[i] !== undefined && times[i]! > 0) total += bids[i]!.price
  if (total === 0) throw new Error('nothing was read')
}
