const slicesToGrow = 1000

/** How many records a slice takes: fewer after a commit that was too large, step by step more again after many that were not. */
export class SliceSize {
  records: number
  private readonly most: number
  private slices = 0

  constructor(most: number) {
    this.records = most
    this.most = most
  }

  /** @returns whether there is anything less to try. */
  shrink(): boolean {
    if (this.records === 1) return false
    this.records = Math.max(1, this.records >> 2)
    this.slices = 0
    return true
  }

  /** A slice was committed. */
  committed(): void {
    if (this.records === this.most || ++this.slices < slicesToGrow) return
    this.records = Math.min(this.most, this.records * 2)
    this.slices = 0
  }
}
