/** Something that changes from time to time, and those who wait for the next time. However many wait, there is one promise. */
export class NextChange {
  private wake!: () => void
  private next!: Promise<void>

  constructor() {
    this.renew()
  }

  /** Resolves at the next `tell`. */
  changed(): Promise<void> {
    return this.next
  }

  tell(): void {
    const { wake } = this
    this.renew()
    wake()
  }

  private renew(): void {
    this.next = new Promise((resolve) => {
      this.wake = resolve
    })
  }
}
