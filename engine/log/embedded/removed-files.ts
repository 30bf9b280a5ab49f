import type { FileSystem } from '../../ports/file-system.ts'
import { logFileName, segmentFileName } from './file-names.ts'
import type { OpenFiles } from './open-files.ts'
import type { SegmentDirectories } from './segment-directory.ts'

/** Removes files that have left the list, except while someone copies them. */
export class RemovedFiles {
  private readonly fs: FileSystem
  private readonly files: OpenFiles
  private readonly directories: SegmentDirectories
  private readonly waiting: string[] = []
  private holds = 0

  constructor(parts: { fs: FileSystem; files: OpenFiles; directories: SegmentDirectories }) {
    this.fs = parts.fs
    this.files = parts.files
    this.directories = parts.directories
  }

  /** Call this only when the edit that took them off the list is committed. */
  async remove(logs: readonly number[], segments: readonly number[]): Promise<void> {
    for (const number of segments) this.directories.drop(number)
    // A segment before the log file its blocks are in: by what is gone of the files an edit names, others see that it counts (DurableEnd).
    const names = [...segments.map(segmentFileName), ...logs.map(logFileName)]
    for (const name of names) await this.files.drop(name)
    this.waiting.push(...names)
    if (this.holds === 0) await this.removeWaiting()
  }

  /** Nothing is removed until the returned function was called. */
  hold(): () => Promise<void> {
    this.holds++
    return async () => {
      this.holds--
      if (this.holds === 0) await this.removeWaiting()
    }
  }

  private async removeWaiting(): Promise<void> {
    for (let name = this.waiting.shift(); name !== undefined; name = this.waiting.shift()) await this.fs.remove(name)
  }
}
