import type { Writable } from 'node:stream'

/** Server-sent events to one client. Nothing gathers: who sends waits for the client, and a beat is left out while it does not read. */
export class EventStream {
  private readonly out: Writable

  constructor(out: Writable) {
    this.out = out
  }

  /** Resolves when there is room for more, or the client has gone. */
  async send(text: string): Promise<void> {
    if (!this.out.write(text)) await this.drained()
  }

  /** So that the connection is not taken for a dead one. */
  beat(): void {
    if (!this.out.writableNeedDrain) this.out.write(': beat\n\n')
  }

  private drained(): Promise<void> {
    const { out } = this
    if (out.destroyed) return Promise.resolve()
    return new Promise((resolve) => {
      const done = () => {
        out.off('drain', done).off('close', done)
        resolve()
      }
      out.on('drain', done).on('close', done)
    })
  }
}
