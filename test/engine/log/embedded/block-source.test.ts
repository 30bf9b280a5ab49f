import { expect, test } from 'vitest'
import { BlockBuilder } from '../../../../engine/block/block-builder.ts'
import { stampBlock } from '../../../../engine/block/block-view.ts'
import { fileSource } from '../../../../engine/log/embedded/block-source.ts'
import { BlockTable } from '../../../../engine/log/embedded/block-table.ts'
import { BufferPool } from '../../../../engine/log/embedded/buffer-pool.ts'
import { logFileName } from '../../../../engine/log/embedded/file-names.ts'
import { OpenFiles } from '../../../../engine/log/embedded/open-files.ts'
import type { FileSystem } from '../../../../engine/ports/file-system.ts'

const apart = 20_000

test('a rewrite gets all blocks of a range of a log file, however many reads that takes', async () => {
  const { file, table } = logOf(100)
  const files = new OpenFiles({ open: async (name: string) => ({ ...file, name }) } as unknown as FileSystem)
  const pool = new BufferPool()
  const { blocks, release } = await fileSource(files, pool, logFileName(7)).read({
    source: undefined as never,
    table,
    from: 3,
    to: 95,
    bytes: 1 << 20,
  })
  expect(blocks.map(({ baseOffset }) => baseOffset)).toEqual(Array.from({ length: 92 }, (_, i) => i + 3))
  expect(blocks.map((block) => block.value(0)!.toString())).toEqual(Array.from({ length: 92 }, (_, i) => `value ${i + 3}`))
  release()
  await files.close()
})

test('a damaged block of a log file is named by file and position', async () => {
  const { file, table, bytes } = logOf(3)
  bytes[apart + 70]! ^= 1
  const files = new OpenFiles({ open: async () => file } as unknown as FileSystem)
  const read = fileSource(files, new BufferPool(), logFileName(7)).read({
    source: undefined as never,
    table,
    from: 0,
    to: 3,
    bytes: 1 << 20,
  })
  await expect(read).rejects.toMatchObject({ code: 'LOG_CORRUPT', details: { file: logFileName(7), position: apart } })
  await files.close()
})

/** Blocks of one record each, too far apart to be read along. */
function logOf(count: number) {
  const bytes = Buffer.alloc(count * apart)
  const table = new BlockTable()
  for (let i = 0; i < count; i++) {
    const builder = new BlockBuilder()
    builder.add({ key: null, value: Buffer.from(`value ${i}`), eventTime: i })
    const block = builder.finish() as Buffer
    stampBlock(block, 0, i, 1000 + i)
    block.copy(bytes, i * apart)
    table.add({
      topic: 1,
      partition: 0,
      baseOffset: i,
      appendTime: 1000 + i,
      count: 1,
      position: i * apart,
      length: block.length,
      check: block.readUInt32LE(4),
    })
  }
  const file = {
    size: async () => bytes.length,
    read: async (to: Uint8Array, from: number) => bytes.copy(to, 0, from, from + to.length),
    close: async () => {},
  }
  return { bytes, table, file }
}
