import {
  close as closeFd,
  constants,
  type Dirent,
  fdatasync,
  fstat,
  fsync,
  ftruncate,
  open,
  read,
  readdir,
  rename,
  rm,
  write,
} from 'node:fs'
import { join } from 'node:path'
import { StreamError } from '../../errors.ts'
import type { CreateOptions, FileSystem, ReadFile, WriteFile } from '../../ports/file-system.ts'

/** One directory of the machine's disk. All work is done in the thread pool. */
export class NodeFileSystem implements FileSystem {
  readonly directory: string

  /** @param directory must exist. */
  constructor(directory: string) {
    this.directory = directory
  }

  async list(): Promise<readonly string[]> {
    const entries = await this.call<Dirent[]>(this.directory, (done) => readdir(this.directory, { withFileTypes: true }, done))
    return entries.filter((entry) => entry.isFile()).map((entry) => entry.name)
  }

  async open(name: string): Promise<ReadFile> {
    const path = join(this.directory, name)
    return new NodeFile(path, await this.call(path, (done) => open(path, 'r', done)))
  }

  async create(name: string, { syncOnWrite = false }: CreateOptions = {}): Promise<WriteFile> {
    const path = join(this.directory, name)
    const { O_RDWR, O_CREAT, O_EXCL, O_DSYNC } = constants
    // Linux: one call that writes and syncs is faster than two (each goes through the pool). Elsewhere the flag is weak or missing.
    const synced = syncOnWrite && process.platform === 'linux' && O_DSYNC !== undefined
    const flags = O_RDWR | O_CREAT | O_EXCL | (synced ? O_DSYNC : 0)
    const fd = await this.call<number>(path, (done) => open(path, flags, 0o640, done))
    // Opened while the file has this name.
    const fillFd = synced ? await this.call<number>(path, (done) => open(path, O_RDWR, done)) : undefined
    return new NodeFile(path, fd, fillFd)
  }

  async rename(from: string, to: string): Promise<void> {
    await this.call(from, (done) => rename(join(this.directory, from), join(this.directory, to), (error) => done(error, undefined)))
  }

  async remove(name: string): Promise<void> {
    await this.call(name, (done) => rm(join(this.directory, name), (error) => done(error, undefined)))
  }

  async syncDirectory(): Promise<void> {
    // Windows has no such thing: there, renaming and creating are as durable as they get.
    if (process.platform === 'win32') return
    const path = this.directory
    const fd = await this.call<number>(path, (done) => open(path, 'r', done))
    try {
      await this.call(path, (done) => fsync(fd, (error) => done(error, undefined)))
    } finally {
      await this.call(path, (done) => closeFd(fd, (error) => done(error, undefined)))
    }
  }

  private call<T>(path: string, start: (done: Done<T>) => void): Promise<T> {
    return call(path, start)
  }
}

class NodeFile implements WriteFile {
  private readonly path: string
  private readonly fd: number
  /** The same file without O_DSYNC, where it is opened with that: a failed sync is told to each of them. */
  private readonly fillFd: number | undefined
  /** Something was changed that the last sync or synced write does not cover. */
  private dirty = false
  private shortened = false

  constructor(path: string, fd: number, fillFd?: number) {
    this.path = path
    this.fd = fd
    this.fillFd = fillFd
  }

  async size(): Promise<number> {
    return (await this.call<{ size: number }>((done) => fstat(this.fd, done))).size
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    let done = 0
    while (done < into.length) {
      const got = await this.call<number>((callback) => read(this.fd, into, done, into.length - done, position + done, callback))
      if (got === 0) break
      done += got
    }
    return done
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    if (this.fillFd === undefined) this.dirty = true
    let done = 0
    while (done < bytes.length) {
      done += await this.call<number>((callback) => write(this.fd, bytes, done, bytes.length - done, position + done, callback))
    }
  }

  async sync(): Promise<void> {
    if (!this.dirty) return
    // fdatasync covers a size that grew; of one that shrank it need not say anything.
    const sync = this.shortened ? fsync : fdatasync
    await this.call<void>((done) => sync(this.fd, (error) => done(error, undefined)))
    this.dirty = false
    this.shortened = false
  }

  async truncate(size: number): Promise<void> {
    this.dirty = true
    this.shortened = true
    await this.call<void>((done) => ftruncate(this.fd, size, (error) => done(error, undefined)))
  }

  async fillAhead(from: number, to: number): Promise<void> {
    const fd = this.fillFd
    if (fd === undefined) return
    for (let at = from; at < to; )
      at += await this.call<number>((callback) => write(fd, zeros, 0, Math.min(zeros.length, to - at), at, callback))
    await this.call<void>((done) => fdatasync(fd, (error) => done(error, undefined)))
  }

  async close(): Promise<void> {
    for (const fd of [this.fd, this.fillFd])
      if (fd !== undefined) await this.call<void>((done) => closeFd(fd, (error) => done(error, undefined)))
  }

  private call<T>(start: (done: Done<T>) => void): Promise<T> {
    return call(this.path, start)
  }
}

const zeros = Buffer.alloc(1 << 18)

type Done<T> = (error: NodeJS.ErrnoException | null | undefined, value: T) => void

/** The port's error codes for the facts of a disk; all else as it is. */
function call<T>(path: string, start: (done: Done<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((error, value) => {
      if (!error) resolve(value)
      else if (error.code === 'ENOSPC' || error.code === 'EDQUOT') reject(new StreamError('DISK_FULL', { file: path }, { cause: error }))
      else if (error.code === 'ENOENT') reject(new StreamError('FILE_UNREADABLE', { file: path }, { cause: error }))
      else reject(error)
    })
  })
}
