/** Work that is done one after the other, in the order it came in; what fails keeps nobody waiting. */
export class Turn {
  private last: Promise<unknown> = Promise.resolve()

  take<T>(work: () => Promise<T>): Promise<T> {
    const done = this.last.catch(() => {}).then(work)
    this.last = done
    return done
  }

  /** Resolves when all is done that came in before. */
  async settled(): Promise<void> {
    await this.last.catch(() => {})
  }
}
