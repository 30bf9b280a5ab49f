import type { FileSystem } from '../../ports/file-system.ts'
import type { Catalog } from './catalog.ts'
import { corrupt } from './corrupt.ts'
import { logFileName, segmentFileName } from './file-names.ts'
import type { RemovedFiles } from './removed-files.ts'
import type { Writer } from './writer.ts'

const pieceBytes = 1 << 20

export interface BackupOptions {
  /** Called at the point of the log that is copied: what was acknowledged is in the copy, and nothing more is until it returns. */
  readonly atThatPoint?: () => void
  /** Aborted: what is copied is no log, and the reason is thrown. */
  readonly signal?: AbortSignal
}

/**
 * Copies the log as of now into another, empty directory, from which it can be opened. Commits go on meanwhile: a new file is begun, and
 * its head lists what to copy; none of that is removed before the copy is done.
 * @returns the bytes copied.
 */
export async function backUp(
  parts: { fs: FileSystem; catalog: Catalog; writer: Writer; removed: RemovedFiles },
  to: FileSystem,
  { atThatPoint, signal }: BackupOptions = {},
): Promise<number> {
  const { fs, catalog, writer, removed } = parts
  const release = removed.hold()
  try {
    const { current, headBytes, logs, segments } = await writer.rotated(() => {
      atThatPoint?.()
      return {
        current: writer.currentFile,
        headBytes: writer.currentEnd,
        logs: [...catalog.logs.values()],
        segments: [...catalog.segments.values()],
      }
    })
    const staying = segments.flatMap(({ blocksIn }) => blocksIn ?? [])
    const files = [
      ...segments.map(({ number, bytes }) => ({ name: segmentFileName(number), bytes })),
      ...[...logs, ...staying].map(({ number, end }) => ({ name: logFileName(number), bytes: end })),
    ]
    for (const { name, bytes } of files) await copyFile(fs, to, name, { bytes, signal })
    // The head comes last: without it there is no log.
    await to.syncDirectory()
    await copyFile(fs, to, logFileName(current), { bytes: headBytes, signal })
    await to.syncDirectory()
    return files.reduce((sum, { bytes }) => sum + bytes, headBytes)
  } finally {
    await release()
  }
}

/** The first `bytes` of a file, or all of it, synced. @returns how many. LOG_CORRUPT when it has less. */
export async function copyFile(
  from: FileSystem,
  to: FileSystem,
  name: string,
  { bytes: wanted, signal }: { readonly bytes?: number; readonly signal: AbortSignal | undefined },
): Promise<number> {
  const source = await from.open(name)
  const target = await to.create(name)
  try {
    const bytes = wanted ?? (await source.size())
    const piece = Buffer.allocUnsafeSlow(Math.min(bytes, pieceBytes))
    for (let at = 0; at < bytes; at += piece.length) {
      signal?.throwIfAborted()
      const part = piece.subarray(0, Math.min(piece.length, bytes - at))
      const got = await source.read(part, at)
      if (got < part.length) throw corrupt(name, at + got, 'the file ends before what is recorded of it')
      await target.write(part, at)
    }
    await target.sync()
    return bytes
  } finally {
    await target.close()
    await source.close()
  }
}
