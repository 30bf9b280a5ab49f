import { createHash } from 'node:crypto'
import { StreamError } from '../../engine/errors.ts'
import type { CheckpointStore } from '../../engine/ports/checkpoint-store.ts'
import type { Pacer } from '../pacer.ts'
import { BlockQueue } from './block-queue.ts'
import { BlockWriter } from './blocks.ts'
import type { LatestRecords } from './latest-records.ts'
import type { CheckpointFile } from './manifest.ts'

const copyBytes = 1 << 20

export type Written = Pick<CheckpointFile, 'bytes' | 'records' | 'sha256'>

/** Writes records as a checkpoint file, a turn at a time; durable and read back when it resolves. */
export async function writeRecords(files: CheckpointStore, name: string, records: LatestRecords, pacer: Pacer): Promise<Written> {
  const queue = new BlockQueue()
  const put = files.put(name, queue)
  put.catch((error: unknown) => queue.fail(error))
  const packing = pack(records, queue, pacer)
  packing.catch((error: unknown) => queue.fail(error))
  // The failure of one ends the other; both are over when this is.
  const [packed] = await Promise.allSettled([packing, put])
  await put
  if (packed.status === 'rejected') throw packed.reason
  return packed.value
}

async function pack(records: LatestRecords, queue: BlockQueue, pacer: Pacer): Promise<Written> {
  const hash = createHash('sha256')
  const writer = new BlockWriter()
  let bytes = 0
  const finish = () => {
    const block = writer.take()
    hash.update(block)
    bytes += block.length
    queue.push(block)
  }
  for (;;) {
    await queue.room()
    const turn = await pacer.turn()
    let step = records.advance()
    while (step === 'record') {
      writer.add(records.current)
      if (writer.full) finish()
      if (turn.spent()) break
      step = records.advance()
    }
    if (step === 'load') await records.load()
    if (step !== 'end') continue
    if (!writer.empty) finish()
    queue.end()
    return { bytes, records: writer.records, sha256: hash.digest('hex') }
  }
}

/** Copies a file under another name, checking what is read. Errors: CHECKPOINT_CORRUPT; the copy does not exist then. */
export async function copyFile(files: CheckpointStore, from: CheckpointFile, name: string, pacer: Pacer): Promise<void> {
  await files.put(name, checkedParts(files, from, pacer))
}

/** Whether the file is what the manifest says. */
export async function verifyFile(files: CheckpointStore, file: CheckpointFile, pacer?: Pacer): Promise<boolean> {
  if ((await files.size(file.name)) !== file.bytes) return false
  try {
    for await (const _part of checkedParts(files, file, pacer)) {
      // Reading it is the check.
    }
    return true
  } catch (error) {
    if (error instanceof StreamError && error.code === 'CHECKPOINT_CORRUPT') return false
    throw error
  }
}

async function* checkedParts(files: CheckpointStore, file: CheckpointFile, pacer: Pacer | undefined): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let position = 0
  while (position < file.bytes) {
    await pacer?.turn()
    const part = await files.read(file.name, position, Math.min(copyBytes, file.bytes - position))
    if (part === null || part.length === 0) break
    hash.update(part)
    position += part.length
    yield part
  }
  if (hash.digest('hex') !== file.sha256)
    throw new StreamError('CHECKPOINT_CORRUPT', { file: file.name, reason: 'it does not match its manifest' })
}
