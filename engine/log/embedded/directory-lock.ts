import { randomBytes } from 'node:crypto'
import { readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { StreamError } from '../../errors.ts'
import { alive, type LockHolder, thisProcess } from './lock-holder.ts'

const prefix = 'lock.'

export interface DirectoryLockOptions {
  /** Called when another process took the lock away (ours looked dead to it): this one must end. */
  readonly lost: (error: unknown) => void
  /** How often the holder shows that it lives. */
  readonly heartbeatMs?: number
  /** A holder on another machine or in another container is taken for dead after this long without a sign of life. */
  readonly silenceMsMax?: number
}

/**
 * One writer owns a directory. Each process that wants it puts down a claim and then looks for claims of others: of two that come at
 * once at least one sees the other. Claims of processes that are gone are removed; so a crash needs no cleaning up.
 */
export class DirectoryLock {
  private readonly path: string
  private readonly heartbeat: NodeJS.Timeout

  private constructor(path: string, lost: (error: unknown) => void, heartbeatMs: number) {
    this.path = path
    this.heartbeat = setInterval(() => {
      const now = new Date()
      utimes(path, now, now).catch(lost)
    }, heartbeatMs)
    this.heartbeat.unref()
  }

  /** @param directory must exist. Errors: LOG_LOCKED (directory, pid, host), FILE_UNWRITABLE, DISK_FULL. */
  static async acquire(directory: string, options: DirectoryLockOptions): Promise<DirectoryLock> {
    const { lost, heartbeatMs = 2000, silenceMsMax = 10_000 } = options
    const me = await thisProcess()
    for (let attempt = 1; ; attempt++) {
      const name = `${prefix}${me.pid}.${randomBytes(6).toString('hex')}`
      const path = join(directory, name)
      await writeFile(path, JSON.stringify(me), { flag: 'wx' }).catch((cause: NodeJS.ErrnoException) => {
        throw unwritable(directory, cause)
      })
      const other = await findHolder(directory, name, me, silenceMsMax)
      if (other === undefined) return new DirectoryLock(path, lost, heartbeatMs)
      await rm(path, { force: true })
      // Two that came at once both step back; one of them is first next time.
      if (attempt === 3) throw locked(directory, other)
      await sleep(20 + randomBytes(1)[0]! * attempt * 0.5)
    }
  }

  async release(): Promise<void> {
    clearInterval(this.heartbeat)
    await rm(this.path, { force: true })
  }
}

/** Who owns a directory, without claiming it; changes nothing. A holder that can't be judged from here is watched for up to ten seconds. FILE_UNREADABLE. */
export async function holderOf(directory: string): Promise<LockHolder | undefined> {
  return findHolder(directory, undefined, await thisProcess(), 10_000)
}

/**
 * @param mine undefined for one who only looks: dead claims stay.
 * @returns a holder that lives, undefined when there is none; then all other claims are gone.
 */
async function findHolder(
  directory: string,
  mine: string | undefined,
  me: LockHolder,
  silenceMsMax: number,
): Promise<LockHolder | undefined> {
  const names = await readdir(directory).catch((cause: NodeJS.ErrnoException) => {
    throw new StreamError('FILE_UNREADABLE', { file: directory, reason: cause.code }, { cause, fix: 'check its permissions' })
  })
  for (const name of names) {
    if (!name.startsWith(prefix) || name === mine) continue
    const path = join(directory, name)
    const holder = await readHolder(path)
    if (holder === 'gone') continue
    const known = holder && (await alive(holder, me))
    const lives = known ?? (await showsLife(path, silenceMsMax))
    if (lives) return holder ?? { pid: 0, host: '', machine: '', started: '' }
    if (mine !== undefined) await rm(path, { force: true })
  }
  return undefined
}

/** @returns undefined for a claim that is not yet written or that a crash cut off. */
async function readHolder(path: string): Promise<LockHolder | 'gone' | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as LockHolder
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'gone'
    throw error
  }
}

/** Watches a claim that can't be judged from here, by the times of the file system itself. */
async function showsLife(path: string, silenceMsMax: number): Promise<boolean> {
  const touched = async () => (await stat(path).catch(() => undefined))?.mtimeMs
  const first = await touched()
  const step = silenceMsMax / 20
  for (let waited = 0; waited < silenceMsMax; waited += step) {
    await sleep(step)
    const now = await touched()
    if (now === undefined) return false
    if (now !== first) return true
  }
  return false
}

export function unwritable(directory: string, cause: NodeJS.ErrnoException): Error {
  const { code } = cause
  if (code === 'ENOSPC' || code === 'EDQUOT') return new StreamError('DISK_FULL', { file: directory }, { cause })
  if (code !== 'EROFS' && code !== 'EACCES' && code !== 'EPERM') return cause
  const fix = 'name a data directory that you may write to with --data; or start as the user it belongs to'
  return new StreamError('FILE_UNWRITABLE', { file: directory, reason: code }, { cause, fix })
}

function locked(directory: string, { pid, host }: LockHolder): StreamError {
  return new StreamError('LOG_LOCKED', { directory, pid, host }, { fix: `end process ${pid} first, or use another data directory` })
}
