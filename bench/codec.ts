/**
 * The JSON codec against a bare JSON.parse loop, in memory: `npx tsx bench/codec.ts [records]`.
 * All cases run in turn, so that a slow moment of the machine hits them alike; the medians' ratio counts, not the rates.
 * Not measured: reading from the log, cold code, what the values cost the garbage collector when they are kept.
 */
import { z } from 'zod'
import { ByteSink } from '../engine/block/byte-sink.ts'
import { json } from '../engine/codec/json.ts'

const RECORDS = Number(process.argv[2] ?? 50_000)
const ROUNDS = 9

interface Bid {
  auction: number
  bidder: number
  price: number
  channel: string
  url: string
  dateTime: number
  extra: string
}
const channels = ['Google', 'Facebook', 'Baidu', 'Apple', 'channel-4367', 'channel-512', 'channel-1']
const bids = Array.from(
  { length: RECORDS },
  (_, i): Bid => ({
    auction: 1000 + ((i * 7919) % 100_000),
    bidder: 1001 + ((i * 104_729) % 50_000),
    price: 1 + ((i * 1_299_709) % 1_000_000),
    channel: channels[i % channels.length] as string,
    url: `https://www.nexmark.com/${i.toString(36)}/item.htm?query=1&channel_id=${(i * 31) % 10_000}`,
    dateTime: 1_700_000_000_000 + i,
    extra: '',
  }),
)

interface Block {
  bytes: Buffer
  view: DataView
  ends: Uint32Array
}
function blockOf(texts: readonly string[]): Block {
  const ends = new Uint32Array(texts.length)
  let end = 0
  texts.forEach((text, i) => {
    ends[i] = end += Buffer.byteLength(text)
  })
  const bytes = Buffer.allocUnsafeSlow(end + 16)
  bytes.utf8Write(texts.join(''))
  return { bytes, view: new DataView(bytes.buffer), ends }
}

const plain = blockOf(bids.map((bid) => JSON.stringify(bid)))
const distinct = blockOf(bids.map((bid, i) => JSON.stringify({ ...bid, channel: `channel-${i}` })))
const spaced = blockOf(bids.map((bid) => JSON.stringify(bid, null, 1)))
const orders = [
  ['auction', 'bidder', 'price', 'channel', 'url', 'dateTime', 'extra'],
  ['price', 'bidder', 'auction', 'channel', 'url', 'dateTime', 'extra'],
  ['auction', 'price', 'dateTime', 'bidder'],
  ['dateTime', 'extra', 'auction', 'bidder', 'price', 'url'],
]
const mixed = blockOf(bids.map((bid, i) => JSON.stringify(bid, orders[(i * 7) % 4])))
const shuffled = blockOf(
  bids.map((bid, i) =>
    JSON.stringify(
      bid,
      orders[0]?.toSorted((a, b) => ((a.charCodeAt(2) * (i + 7)) % 31) - ((b.charCodeAt(2) * (i + 7)) % 31)),
    ),
  ),
)

const int = z.number().int()
const two = z.object({ auction: z.number(), price: z.number() })
const five = z.object({ auction: int.min(0), bidder: int, price: int, channel: z.string(), dateTime: z.number() })
const seven = z.object({
  auction: int,
  bidder: int,
  price: int,
  channel: z.string(),
  url: z.string(),
  dateTime: z.number(),
  extra: z.string(),
})
const byZod = two.refine(() => true)

const out: unknown[] = new Array(RECORDS).fill(undefined)
function decoding(schema: z.ZodType, block: Block): () => void {
  const codec = json(schema)
  return () => {
    for (let from = 0; from < RECORDS; from += 4096) {
      const bad = codec.decode(block.bytes, block.view, 0, block.ends, 0, from, Math.min(RECORDS, from + 4096), out, 0)
      if (bad !== undefined) throw new Error('a record was refused')
    }
  }
}
function parsing({ bytes, ends }: Block): () => void {
  return () => {
    for (let i = 0, start = 0; i < RECORDS; i++) {
      out[i & 4095] = JSON.parse(bytes.latin1Slice(start, ends[i]))
      start = ends[i] as number
    }
  }
}
function encoding<T extends object>(schema: z.ZodType<T>, values: readonly T[]): () => void {
  const codec = json(schema)
  const sink = new ByteSink(1 << 20)
  return () => {
    for (const value of values) {
      if (sink.at > 900_000) sink.reset()
      codec.encode(value, sink)
    }
  }
}
const counts = bids.map(({ auction, price, dateTime }) => ({ auction, count: price % 100, start: dateTime, end: dateTime + 10_000 }))
const writing = <T>(values: readonly T[]) => {
  const sink = new ByteSink(1 << 20)
  return () => {
    for (const value of values) {
      if (sink.at > 900_000) sink.reset()
      sink.utf8(JSON.stringify(value))
    }
  }
}

race('decode bids of 172 bytes (base: JSON.parse of latin1Slice)', {
  'JSON.parse': parsing(plain),
  '2 numbers': decoding(two, plain),
  '5 fields, one short string': decoding(five, plain),
  'the same, all strings differ': decoding(five, distinct),
  '7 fields, url too': decoding(seven, plain),
  '2 numbers, by zod (refine)': decoding(byZod, plain),
})
race('the same, indented by JSON.stringify(bid, null, 1)', { 'JSON.parse': parsing(spaced), '2 numbers': decoding(two, spaced) })
race('4 orders of keys, one after the other', { 'JSON.parse': parsing(mixed), '2 numbers': decoding(two, mixed) })
race('ever new orders of keys', { 'JSON.parse': parsing(shuffled), '2 numbers': decoding(two, shuffled) })
race('encode {4 numbers} (base: utf8Write of JSON.stringify)', {
  'JSON.stringify': writing(counts),
  codec: encoding(z.object({ auction: int, count: int, start: z.number(), end: z.number() }), counts),
})
race('encode bids', { 'JSON.stringify': writing(bids), codec: encoding(seven, bids) })

function race(title: string, cases: Record<string, () => void>): void {
  const times = Object.entries(cases).map(([name, run]) => ({ name, run, ms: [] as number[] }))
  for (let round = -2; round < ROUNDS; round++) {
    for (const entry of times) {
      const start = performance.now()
      entry.run()
      if (round >= 0) entry.ms.push(performance.now() - start)
    }
  }
  const base = median(times[0]?.ms ?? [])
  console.log(`\n${title}; Node ${process.version}, ${RECORDS} records, median of ${ROUNDS}`)
  for (const { name, ms } of times) {
    const middle = median(ms)
    const spread = `${(RECORDS / Math.max(...ms) / 1e3).toFixed(2)}-${(RECORDS / Math.min(...ms) / 1e3).toFixed(2)}`
    console.log(
      `${name.padEnd(30)} ${(RECORDS / middle / 1e3).toFixed(2).padStart(7)} M/s  x${(base / middle).toFixed(2).padEnd(6)} (${spread})`,
    )
  }
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] as number
}
