import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { EventStream } from '../../../../deploy/server/http/event-stream.ts'

/** A client that reads when it is told to. */
class SlowClient extends Writable {
  readonly seen: string[] = []
  private taken: (() => void) | undefined

  constructor() {
    super({ highWaterMark: 10 })
  }

  override _write(chunk: Buffer, _encoding: string, taken: () => void): void {
    this.seen.push(String(chunk))
    this.taken = taken
  }

  read(): void {
    this.taken?.()
  }
}

test('who sends waits until the client reads, and beats do not gather meanwhile', async () => {
  const client = new SlowClient()
  const events = new EventStream(client)
  events.beat()
  client.read()
  expect(client.seen).toEqual([': beat\n\n'])
  let sent = false
  const sending = events.send('data: 1234567890\n\n').then(() => {
    sent = true
  })
  const { writableLength } = client
  for (let i = 0; i < 1000; i++) events.beat()
  expect([client.writableLength, sent]).toEqual([writableLength, false])
  client.read()
  await sending
  expect(client.seen).toHaveLength(2)
})

test('who sends to a client that goes is not left waiting', async () => {
  const client = new SlowClient()
  const events = new EventStream(client)
  const sending = events.send('data: 1234567890\n\n')
  client.destroy()
  await sending
  await events.send('data: 1234567890\n\n')
})
