import type { FileSystem } from '../../ports/file-system.ts'
import type { Catalog } from './catalog.ts'
import { logFileName, segmentFileName } from './file-names.ts'
import type { RemovedFiles } from './removed-files.ts'
import type { Writer } from './writer.ts'

const pieceBytes = 1 << 20

/**
 * Copies the log as of now into another, empty directory, from which it can be opened. Commits go on meanwhile: a new file is begun, and
 * its head lists what to copy; none of that is removed before the copy is done.
 */
export async function backUp(
  parts: { fs: FileSystem; catalog: Catalog; writer: Writer; removed: RemovedFiles },
  to: FileSystem,
): Promise<void> {
  const { fs, catalog, writer, removed } = parts
  const release = removed.hold()
  try {
    const { current, headBytes, logs, segments } = await writer.rotated(() => ({
      current: writer.currentFile,
      headBytes: writer.currentEnd,
      logs: [...catalog.logs.values()],
      segments: [...catalog.segments.values()],
    }))
    for (const { number, bytes } of segments) await copy(fs, to, segmentFileName(number), bytes)
    const staying = segments.flatMap(({ blocksIn }) => blocksIn ?? [])
    for (const { number, end } of [...logs, ...staying]) await copy(fs, to, logFileName(number), end)
    // The head comes last: without it there is no log.
    await to.syncDirectory()
    await copy(fs, to, logFileName(current), headBytes)
    await to.syncDirectory()
  } finally {
    await release()
  }
}

async function copy(from: FileSystem, to: FileSystem, name: string, bytes: number): Promise<void> {
  const source = await from.open(name)
  const target = await to.create(name)
  try {
    const piece = Buffer.allocUnsafeSlow(Math.min(bytes, pieceBytes))
    for (let at = 0; at < bytes; at += piece.length) {
      const part = piece.subarray(0, Math.min(piece.length, bytes - at))
      await source.read(part, at)
      await target.write(part, at)
    }
    await target.sync()
  } finally {
    await target.close()
    await source.close()
  }
}
