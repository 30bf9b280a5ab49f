import { expect, test } from 'vitest'
import { BlockPool } from '../../../engine/block/block-pool.ts'

test('gives back what it was given, whatever the length asked for within its size', () => {
  const pool = new BlockPool()
  const first = pool.acquire(100_000)
  expect(first.length).toBe(100_000)
  expect(first.byteOffset).toBe(0)
  pool.giveBack(first)
  const second = pool.acquire(120_000)
  expect(second.buffer).toBe(first.buffer)
  expect(second.length).toBe(120_000)
  expect(pool.acquire(120_000).buffer).not.toBe(first.buffer)
})

test('gives memory that another thread can read without a copy', () => {
  const block = new BlockPool().acquire(100_000)
  expect(structuredClone(block).buffer).toBeInstanceOf(SharedArrayBuffer)
  block[7] = 42
  expect(structuredClone(block)[7]).toBe(42)
})

test('keeps 32 MiB at most, and neither small nor huge blocks', () => {
  const pool = new BlockPool()
  for (const bytes of [1, 1000, (8 << 20) + 1]) {
    const block = pool.acquire(bytes)
    expect(block.length).toBe(bytes)
    pool.giveBack(block)
    expect(pool.acquire(bytes).buffer).not.toBe(block.buffer)
  }
  const blocks = Array.from({ length: 6 }, () => pool.acquire(8 << 20))
  for (const block of blocks) pool.giveBack(block)
  const again = Array.from({ length: 6 }, () => pool.acquire(8 << 20).buffer)
  expect(again.filter((buffer) => blocks.some((block) => block.buffer === buffer)).length).toBe(4)
})
