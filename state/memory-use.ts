import { estimateBytes, type StoreMeter } from './store-meter.ts'

/** Changed entries may take this part of the budget; beyond it no slice is run until a checkpoint has let some go. */
const dirtyPart = 0.75
/** From here on a checkpoint should be cut without waiting for its time. */
const cutPart = 0.25
/** From here on the spill database is built, to be there when it is needed. */
const spillPart = 0.6
/** Entries leave memory down to this. */
const keptPart = 0.85
/** State that is larger than this is not loaded at the start: the rest is for what comes. */
const loadedPart = 0.5

/** What the stores of a task weigh against the budget. All sizes are estimates. */
export class MemoryUse {
  readonly bytesMax: number
  private readonly spills: boolean
  private readonly meters: StoreMeter[] = []

  /** @param spills entries can go somewhere else: then all of them are held to the budget, not only changed ones. */
  constructor(bytesMax: number, spills: boolean) {
    this.bytesMax = bytesMax
    this.spills = spills
  }

  add(meter: StoreMeter): void {
    this.meters.push(meter)
  }

  get bytes(): number {
    return this.sum((meter) => meter.inMemory)
  }

  /** Changed entries that can't leave memory. */
  get dirtyBytes(): number {
    return this.sum((meter) => meter.dirty + meter.held)
  }

  get full(): boolean {
    return this.dirtyBytes > this.bytesMax * dirtyPart || (this.spills && this.bytes > this.bytesMax)
  }

  get wantsCheckpoint(): boolean {
    return this.dirtyBytes > this.bytesMax * cutPart
  }

  get wantsSpill(): boolean {
    return this.bytes > this.bytesMax * spillPart
  }

  get over(): boolean {
    return this.bytes > this.bytesMax * keptPart
  }

  /** Whether the state of a checkpoint's files is too large to be loaded. */
  tooLarge(files: readonly { readonly bytes: number; readonly records: number }[]): boolean {
    return files.reduce((sum, { bytes, records }) => sum + estimateBytes(records, bytes), 0) > this.bytesMax * loadedPart
  }

  /** A generation was frozen. @returns lets its entries go: they may leave memory. */
  freeze(): () => void {
    const frozen = this.meters.map((meter) => {
      const { dirty } = meter
      meter.held += dirty
      meter.dirty = 0
      return { meter, dirty }
    })
    return () => {
      for (const { meter, dirty } of frozen) meter.held -= dirty
    }
  }

  private sum(count: (meter: StoreMeter) => number): number {
    let bytes = 0
    for (const meter of this.meters) bytes += count(meter) * meter.bytesEach
    return bytes
  }
}
