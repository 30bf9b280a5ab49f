import { BidWriter, bidBytesMax } from '../examples/nexmark/bid-writer.ts'

const sampleBids = 200_000

/**
 * The yardstick: JSON.parse of each record from latin1 text and nothing else, over bids in memory. No log, no columns, no counting, no
 * output. It depends on machine and moment, so each row runs it in between and is stated as a multiple of it.
 */
export class BareLoop {
  private readonly bytes: Buffer
  private readonly ends = new Uint32Array(sampleBids)
  /** Keeps the parsing from being optimised away. */
  parsed = 0

  constructor() {
    const bytes = Buffer.allocUnsafeSlow(sampleBids * bidBytesMax)
    const writer = new BidWriter()
    let at = 0
    for (let i = 0; i < sampleBids; i++) {
      writer.begin(i)
      at = writer.write(bytes, at)
      this.ends[i] = at
    }
    this.bytes = Buffer.from(bytes.subarray(0, at))
  }

  /** @returns records per second. */
  run(records: number): number {
    const { bytes, ends } = this
    const started = performance.now()
    for (let done = 0; done < records; done += sampleBids) {
      let at = 0
      const count = Math.min(sampleBids, records - done)
      for (let i = 0; i < count; i++) {
        const end = ends[i]!
        if (JSON.parse(bytes.latin1Slice(at, end)) !== null) this.parsed++
        at = end
      }
    }
    return (records * 1000) / (performance.now() - started)
  }
}
