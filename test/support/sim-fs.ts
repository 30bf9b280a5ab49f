import { StreamError } from '../../engine/errors.ts'
import type { CreateOptions, FileSystem, ReadFile, WriteFile } from '../../engine/ports/file-system.ts'
import { Random } from './random.ts'

/** The unit that reaches a disk whole. */
export const sectorBytes = 512

class Inode {
  /** What survives a loss of power. */
  readonly disk = new Extent()
  /** What processes see. */
  readonly memory = new Extent()
  /** Sectors in which memory is ahead of the disk. */
  readonly dirty = new Set<number>()
  /** The file was cut shorter, and the disk does not know. */
  shortened = false
  /** A sync by way of another descriptor failed: told to this one too. */
  failedElsewhere = false
}

/** Bytes that grow without being copied each time. */
class Extent {
  length = 0
  private room = Buffer.alloc(0)

  get bytes(): Buffer {
    return this.room.subarray(0, this.length)
  }

  /** Longer: zeros. */
  resize(length: number): void {
    if (length > this.room.length) {
      const larger = Buffer.alloc(Math.max(length, this.room.length * 2))
      this.room.copy(larger, 0, 0, this.length)
      this.room = larger
    } else if (length > this.length) this.room.fill(0, this.length, length)
    this.length = length
  }

  replace(content: Uint8Array): void {
    this.room = Buffer.from(content)
    this.length = content.length
  }
}

type DirectoryChange = { readonly name: string; readonly inode: Inode | undefined }

export interface SimFaults {
  /** Probability that a sync of something unsynced fails; its pages then count as clean. */
  syncFails: number
  /** Probability that a write finds the disk full, after some of its sectors. */
  writeFull: number
  /** Bytes that all files together may have. */
  quota: number
}

export const noSimFaults: SimFaults = { syncFails: 0, writeFull: 0, quota: Number.POSITIVE_INFINITY }

/**
 * A disk that forgets, after models of what file systems and disks may do: unsynced sectors survive a loss of power in any subset, a file
 * that grew shows zeros or old sectors of others, changes of the directory survive in any subset, a failed sync leaves pages that count
 * as clean. All is drawn from the seed.
 */
export class SimDisk {
  readonly random: Random
  /** The last changes, for the report of a violation. */
  readonly trace: string[] = []
  private durable = new Map<string, Inode>()
  private names = new Map<string, Inode>()
  private pending: DirectoryChange[] = []
  private readonly written: Buffer[] = []

  constructor(seed: number) {
    this.random = new Random(seed)
  }

  /** The disk as one process sees it, until it is killed. */
  mount(options: { operationsMax?: number; faults?: SimFaults } = {}): SimFs {
    return new SimFs(this, options.operationsMax ?? Number.POSITIVE_INFINITY, options.faults ?? noSimFaults)
  }

  note(line: string): void {
    this.trace.push(line)
    if (this.trace.length > 2000) this.trace.shift()
  }

  list(): string[] {
    return [...this.names.keys()]
  }

  find(name: string): Inode {
    const inode = this.names.get(name)
    if (inode === undefined) throw new StreamError('FILE_UNREADABLE', { file: name })
    return inode
  }

  bytesUsed(): number {
    let bytes = 0
    for (const { memory } of this.names.values()) bytes += memory.length
    return bytes
  }

  /** The bytes of a file as a process sees them. */
  content(name: string): Buffer {
    return Buffer.from(this.find(name).memory.bytes)
  }

  /** What a loss of power would surely leave, by file. */
  durableContent(): ReadonlyMap<string, Buffer> {
    return new Map([...this.durable].map(([name, { disk }]) => [name, Buffer.from(disk.bytes)]))
  }

  /** Puts a file there as if it had always been. */
  plant(name: string, content: Uint8Array): void {
    const inode = new Inode()
    inode.disk.replace(content)
    inode.memory.replace(content)
    this.names.set(name, inode)
    this.durable.set(name, inode)
  }

  link(name: string, inode: Inode | undefined): void {
    if (inode) this.names.set(name, inode)
    else this.names.delete(name)
    this.pending.push({ name, inode })
  }

  writeSector(inode: Inode, bytes: Uint8Array, position: number): void {
    const end = position + bytes.length
    const { memory } = inode
    if (memory.length < end) memory.resize(end)
    memory.bytes.set(bytes, position)
    const sector = Math.floor(position / sectorBytes)
    inode.dirty.add(sector)
    this.written.push(Buffer.from(memory.bytes.subarray(sector * sectorBytes, (sector + 1) * sectorBytes)))
    // The system may write pages to the disk at any time.
    if (this.random.chance(0.05)) this.writeBack(inode)
    if (this.written.length > 200) this.written.splice(this.random.int(this.written.length), 1)
  }

  truncate(inode: Inode, size: number): void {
    inode.memory.resize(size)
    inode.shortened = true
    for (const sector of inode.dirty) if (sector * sectorBytes >= size) inode.dirty.delete(sector)
  }

  /** @returns false when the sync failed. */
  sync(inode: Inode, failing: number): boolean {
    if (inode.dirty.size > 0 && this.random.chance(failing)) {
      inode.dirty.clear()
      return false
    }
    this.writeBack(inode)
    return true
  }

  private writeBack(inode: Inode): void {
    inode.disk.resize(inode.memory.length)
    for (const sector of inode.dirty) copySector(inode.memory.bytes, inode.disk.bytes, sector)
    inode.dirty.clear()
    inode.shortened = false
  }

  syncDirectory(): void {
    this.durable = new Map(this.names)
    this.pending = []
  }

  /** Writes all pages to the disk, as the system may at any time; no one can rely on it. */
  writeBackAll(): void {
    for (const inode of this.names.values()) this.writeBack(inode)
  }

  /**
   * Power is lost: what was not synced survives in part.
   * @param kept the part; absent: drawn, none and all among the possible ones.
   */
  losePower(kept?: number): void {
    const { random } = this
    const mode = random.next()
    const keep = kept ?? (mode < 0.2 ? 0 : mode < 0.4 ? 1 : 0.5)
    this.note(`POWER LOST, ${keep} of what was not synced survives`)
    for (const { name, inode } of this.pending) {
      if (!random.chance(keep)) continue
      if (inode) this.durable.set(name, inode)
      else this.durable.delete(name)
    }
    for (const inode of new Set([...this.names.values(), ...this.durable.values()])) this.forget(inode, keep)
    this.names = new Map(this.durable)
    this.pending = []
  }

  /** Flips a bit of something that is safely on the disk. @returns where, or undefined when there is nothing. */
  rot(): { name: string; position: number } | undefined {
    const names = this.list().filter((name) => this.find(name).memory.length > 0)
    if (names.length === 0) return undefined
    const name = names[this.random.int(names.length)]!
    const inode = this.find(name)
    const position = this.random.int(inode.memory.length)
    if (inode.dirty.has(Math.floor(position / sectorBytes)) || position >= inode.disk.length) return undefined
    const flipped = inode.memory.bytes[position]! ^ (1 << this.random.int(8))
    inode.memory.bytes[position] = flipped
    inode.disk.bytes[position] = flipped
    this.note(`BIT FLIPPED in ${name} at ${position}`)
    return { name, position }
  }

  private forget(inode: Inode, keep: number): void {
    const { random } = this
    const full = inode.memory.length
    let content = Buffer.from(inode.disk.bytes)
    if (full > content.length && keep > 0) {
      const grown = Buffer.alloc(random.chance(0.5) ? full : content.length + random.int(full - content.length + 1))
      content.copy(grown)
      for (let sector = Math.ceil(content.length / sectorBytes); sector * sectorBytes < grown.length; sector++) {
        const stale = this.written[random.int(this.written.length || 1)]
        if (stale && random.chance(0.3)) stale.copy(grown, sector * sectorBytes)
      }
      content = grown
    } else if (inode.shortened && full < content.length && random.chance(keep)) content = Buffer.from(content.subarray(0, full))
    for (const sector of inode.dirty)
      if (sector * sectorBytes < content.length && random.chance(keep)) copySector(inode.memory.bytes, content, sector)
    inode.disk.replace(content)
    inode.memory.replace(content)
    inode.dirty.clear()
    inode.shortened = false
  }
}

/** One process's view. After `operationsMax` changes, or `kill`, the process is dead: nothing it asked for ever answers. */
export class SimFs implements FileSystem {
  faults: SimFaults
  readonly disk: SimDisk
  /** Resolves when the process is dead. */
  readonly killed: Promise<void>
  /** Faults that took place. */
  failures = 0
  operations = 0
  dead = false
  private readonly operationsMax: number
  private die: () => void = () => {}

  constructor(disk: SimDisk, operationsMax: number, faults: SimFaults) {
    this.disk = disk
    this.operationsMax = operationsMax
    this.faults = faults
    this.killed = new Promise((resolve) => {
      this.die = resolve
    })
  }

  kill(why: string): void {
    if (this.dead) return
    this.dead = true
    this.disk.note(`KILLED: ${why}`)
    this.die()
  }

  async list(): Promise<readonly string[]> {
    await this.look()
    return this.disk.list()
  }

  async open(name: string): Promise<ReadFile> {
    await this.look()
    this.disk.find(name)
    return new SimFile(this, name, this.disk.find(name), false)
  }

  async create(name: string, { syncOnWrite = false }: CreateOptions = {}): Promise<WriteFile> {
    await this.change(`create ${name}`)
    if (this.disk.list().includes(name)) throw new Error(`${name} exists`)
    const inode = new Inode()
    this.disk.link(name, inode)
    // It may be so, it need not.
    return new SimFile(this, name, inode, syncOnWrite && this.disk.random.chance(0.5))
  }

  async rename(from: string, to: string): Promise<void> {
    await this.change(`rename ${from} ${to}`)
    const inode = this.disk.find(from)
    this.disk.link(to, inode)
    this.disk.link(from, undefined)
  }

  async remove(name: string): Promise<void> {
    await this.change(`remove ${name}`)
    this.disk.find(name)
    this.disk.link(name, undefined)
  }

  async syncDirectory(): Promise<void> {
    await this.change('sync directory')
    this.disk.syncDirectory()
  }

  /** Waits a little, as long as the process lives. */
  async look(): Promise<void> {
    for (let turns = 1 + this.disk.random.int(3); turns > 0; turns--) await undefined
    if (this.dead) await new Promise(() => {})
  }

  /** The same for what changes the disk: the process may die here, before the change. */
  async change(what: string): Promise<void> {
    await this.look()
    if (++this.operations > this.operationsMax) this.kill(`before ${what}`)
    if (this.dead) await new Promise(() => {})
    this.disk.note(what)
  }
}

class SimFile implements WriteFile {
  private readonly fs: SimFs
  private readonly name: string
  private readonly inode: Inode
  private readonly syncOnWrite: boolean

  constructor(fs: SimFs, name: string, inode: Inode, syncOnWrite: boolean) {
    this.fs = fs
    this.name = name
    this.inode = inode
    this.syncOnWrite = syncOnWrite
  }

  async size(): Promise<number> {
    await this.fs.look()
    return this.inode.memory.length
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    await this.fs.look()
    const found = this.inode.memory.bytes.subarray(position, position + into.length)
    into.set(found)
    return found.length
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    const { fs, name, inode } = this
    const { faults, disk } = fs
    const sectors = Math.ceil((position + bytes.length) / sectorBytes) - Math.floor(position / sectorBytes)
    // Also behind the last one: all is there, and yet it failed.
    const some = disk.random.chance(0.5) ? sectors : disk.random.int(sectors)
    const fullAfter = disk.random.chance(faults.writeFull) ? some : Number.POSITIVE_INFINITY
    for (let at = 0, sector = 0; at < bytes.length || sector < sectors; sector++) {
      const end = Math.min(bytes.length, (Math.floor((position + at) / sectorBytes) + 1) * sectorBytes - position)
      await fs.change(`write ${name} ${position + at}..${position + end}`)
      const growth = Math.max(0, position + end - inode.memory.length)
      if (sector >= fullAfter || disk.bytesUsed() + growth > faults.quota) this.full()
      disk.writeSector(inode, bytes.subarray(at, end), position + at)
      at = end
    }
    if (sectors === fullAfter) this.full()
    if (this.syncOnWrite) await this.sync()
  }

  async sync(): Promise<void> {
    const { fs, name } = this
    await fs.change(`sync ${name}`)
    const failedElsewhere = this.inode.failedElsewhere
    this.inode.failedElsewhere = false
    if (fs.disk.sync(this.inode, fs.faults.syncFails) && !failedElsewhere) return
    fs.failures++
    fs.disk.note(`SYNC FAILED ${name}`)
    throw new Error('EIO')
  }

  async fillAhead(from: number, to: number): Promise<void> {
    const { fs, name, inode } = this
    const { faults, disk } = fs
    for (let at = from; at < to; at += sectorBytes) {
      const end = Math.min(to, at + sectorBytes)
      await fs.change(`fill ${name} ${at}..${end}`)
      const growth = Math.max(0, end - inode.memory.length)
      if (disk.random.chance(faults.writeFull) || disk.bytesUsed() + growth > faults.quota) this.full()
      disk.writeSector(inode, Buffer.alloc(end - at), at)
    }
    await fs.change(`sync filled ${name}`)
    if (disk.sync(inode, faults.syncFails)) return
    inode.failedElsewhere = true
    fs.failures++
    disk.note(`SYNC FAILED ${name}`)
    throw new Error('EIO')
  }

  async truncate(size: number): Promise<void> {
    await this.fs.change(`truncate ${this.name} to ${size}`)
    this.fs.disk.truncate(this.inode, size)
  }

  async close(): Promise<void> {
    await this.fs.look()
  }

  private full(): never {
    this.fs.failures++
    this.fs.disk.note(`DISK FULL ${this.name}`)
    throw new StreamError('DISK_FULL', { file: this.name })
  }
}

function copySector(from: Buffer, to: Buffer, sector: number): void {
  const start = sector * sectorBytes
  to.fill(0, start, Math.min(to.length, start + sectorBytes))
  from.copy(to, start, start, Math.min(from.length, start + sectorBytes))
}
