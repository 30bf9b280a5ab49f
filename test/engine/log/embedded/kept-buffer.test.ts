import { expect, test } from 'vitest'
import { KeptBuffer } from '../../../../engine/log/embedded/kept-buffer.ts'

test('memory is used again, grows with some room, and is not kept where it is too large', () => {
  const memory = new KeptBuffer(1 << 20)
  const first = memory.take(1000)
  expect(first).toHaveLength(1000)
  expect(memory.take(60_000).buffer).toBe(first.buffer)
  const second = memory.take(200_000)
  expect(second.buffer).not.toBe(first.buffer)
  expect(memory.take(240_000).buffer).toBe(second.buffer)
  const large = memory.take((1 << 20) + 1)
  expect(large).toHaveLength((1 << 20) + 1)
  expect(memory.take(1 << 20).buffer).not.toBe(large.buffer)
})

test('memory goes only when nobody took it from one look to the next', () => {
  const memory = new KeptBuffer(1 << 20)
  const { buffer } = memory.take(100_000)
  memory.letGo()
  expect(memory.take(10).buffer).toBe(buffer)
  memory.letGo()
  memory.letGo()
  expect(memory.take(10).buffer).not.toBe(buffer)
})
