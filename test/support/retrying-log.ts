import { StreamError } from '../../engine/errors.ts'
import type { Offset } from '../../engine/model/record.ts'
import type { LogReader, Producer } from '../../engine/ports/log.ts'
import { PassThroughLog } from './pass-through-log.ts'
import { persist, RetryingProducer } from './retrying-producer.ts'

/** A log that answers as if faults that pass never happened, by doing what the port asks of its clients. */
export class RetryingLog extends PassThroughLog {
  private readonly newest = new Map<string, RetryingProducer>()
  private readonly opening = new Map<string, Promise<unknown>>()

  override producer(id: string): Promise<Producer> {
    // One at a time: a producer that recovers may not fence the one that is being opened to fence it.
    const exclusively = <T>(open: () => Promise<T>): Promise<T> => {
      const opened = (this.opening.get(id) ?? Promise.resolve()).then(open)
      this.opening.set(
        id,
        opened.catch(() => {}),
      )
      return opened
    }
    return exclusively(async () => {
      const opened = await persist(() => this.inner.producer(id))
      this.newest.get(id)?.supersede(opened.end)
      const producer = new RetryingProducer(this.inner, opened, exclusively)
      this.newest.set(id, producer)
      return producer
    })
  }

  override async forgetProducer(id: string, epoch: number): Promise<void> {
    const held = this.newest.get(id)
    if (held?.epoch !== epoch) throw new StreamError('COMMIT_FENCED', { producer: id, epoch })
    await held.forget()
    this.newest.delete(id)
  }

  override reader(topic: string, partition: number, from: Offset): LogReader {
    const reader = this.inner.reader(topic, partition, from)
    return {
      get position() {
        return reader.position
      },
      read: (bytesMax) => persist(() => reader.read(bytesMax)),
      close: () => reader.close(),
    }
  }
}
