import type { SpillStore } from '../engine/ports/checkpoint-store.ts'

type Batch = readonly { readonly key: string; readonly value: Uint8Array | null }[]

/** A spill store in memory: for tests and simulation. What was not settled can be lost, as in the real one. */
export class MemorySpillStore implements SpillStore {
  private values = new Map<string, Uint8Array>()
  /** Batches that a crash may lose, oldest first. */
  private unsettled: Batch[] = []
  /** What holds without them. */
  private settled = new Map<string, Uint8Array>()
  private readonly unsettledMax: number

  /** @param unsettledMax batches that are still unsafe, as those in LevelDB's log. */
  constructor(unsettledMax = 32) {
    this.unsettledMax = unsettledMax
  }

  get(key: Uint8Array): Uint8Array | undefined {
    return this.values.get(text(key))
  }

  async batch(puts: readonly { key: Uint8Array; value: Uint8Array | null }[]): Promise<void> {
    const batch = puts.map(({ key, value }) => ({ key: text(key), value: value === null ? null : Uint8Array.from(value) }))
    // As in the real one it is seen only some time after the call.
    await new Promise((resolve) => setImmediate(resolve))
    write(this.values, batch)
    this.unsettled.push(batch)
    if (this.unsettled.length > this.unsettledMax) write(this.settled, this.unsettled.shift()!)
  }

  async clear(): Promise<void> {
    this.values = new Map()
    this.settled = new Map()
    this.unsettled = []
  }

  async close(): Promise<void> {}

  /** The process dies, and some unsettled batches are lost: the last ones, or one in the middle. @param pick a whole number below its argument. */
  crash(lose: 'nothing' | 'tail' | 'hole', pick: (below: number) => number): void {
    const batches = this.unsettled
    if (lose === 'tail') batches.splice(batches.length - pick(batches.length + 1))
    else if (lose === 'hole' && batches.length > 0) batches.splice(pick(batches.length), 1)
    this.values = new Map(this.settled)
    for (const batch of batches) write(this.values, batch)
  }

  /** Changes one byte of one value. */
  spoil(pick: (below: number) => number): void {
    const all = [...this.values.entries()].filter(([, value]) => value.length > 0)
    if (all.length === 0) return
    const [key, value] = all[pick(all.length)]!
    const spoiled = Uint8Array.from(value)
    spoiled[pick(spoiled.length)]! ^= 1 << pick(8)
    this.values.set(key, spoiled)
    this.settled.set(key, spoiled)
  }
}

function write(values: Map<string, Uint8Array>, batch: Batch): void {
  for (const { key, value } of batch) {
    if (value === null) values.delete(key)
    else values.set(key, value)
  }
}

function text(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).latin1Slice()
}
