import type { FileSystem, ReadFile } from '../../ports/file-system.ts'
import { type ParsedName, parseFileName } from './file-names.ts'

interface OpenFile {
  readonly file: Promise<ReadFile>
  users: number
  lastUse: number
}

/** Files held open for reading, the least recently used closed first. A file that was removed stays readable for those who have it. */
export class OpenFiles {
  private readonly fs: FileSystem
  private readonly filesMax: number
  private readonly files = new Map<string, OpenFile>()
  private uses = 0

  constructor(fs: FileSystem, filesMax = 64) {
    this.fs = fs
    this.filesMax = filesMax
  }

  /** Errors: FILE_UNREADABLE for a missing file. */
  async use<T>(name: string, work: (file: ReadFile) => Promise<T>): Promise<T> {
    const open = this.files.get(name) ?? this.open(name)
    open.users++
    open.lastUse = ++this.uses
    try {
      return await work(await open.file)
    } finally {
      open.users--
      if (open.users === 0 && this.files.get(name) !== open) await close(open)
    }
  }

  /** Forgets a file that was removed; closed when its last user is done. */
  async drop(name: string): Promise<void> {
    const open = this.files.get(name)
    this.files.delete(name)
    if (open?.users === 0) await close(open)
  }

  /** Forgets the others, so that removed files give their space back. */
  async keepOnly(listed: (name: string, file: ParsedName) => boolean): Promise<void> {
    const others = [...this.files.keys()].filter((name) => {
      const file = parseFileName(name)
      return file !== undefined && !listed(name, file)
    })
    await Promise.all(others.map((name) => this.drop(name)))
  }

  async close(): Promise<void> {
    await Promise.all([...this.files.keys()].map((name) => this.drop(name)))
  }

  private open(name: string): OpenFile {
    const open = { file: this.fs.open(name), users: 0, lastUse: 0 }
    // Whoever uses it sees the failure; the next one tries again.
    open.file.catch(() => this.files.get(name) === open && this.files.delete(name))
    // Before the new one is among them: it has no user yet and must stay.
    this.closeIdle(this.filesMax - 1)
    this.files.set(name, open)
    return open
  }

  private closeIdle(keptMax: number): void {
    const idle = [...this.files].filter(([, { users }]) => users === 0).sort(([, a], [, b]) => a.lastUse - b.lastUse)
    // A failed close of a file that was only read loses nothing.
    for (const [name] of idle.slice(0, Math.max(0, this.files.size - keptMax))) this.drop(name).catch(() => {})
  }
}

async function close(open: OpenFile): Promise<void> {
  const file = await open.file.catch(() => undefined)
  await file?.close()
}
