import { readFile, readlink } from 'node:fs/promises'
import { hostname } from 'node:os'

/** What a claim says about the process that made it. */
export interface LockHolder {
  readonly pid: number
  readonly host: string
  /** Boot and process-number space: only within the same one do process numbers mean anything. */
  readonly machine: string
  /** When the process began, in the kernel's own count: process numbers are used again. */
  readonly started: string
}

export async function thisProcess(): Promise<LockHolder> {
  const boot = (await textOf('/proc/sys/kernel/random/boot_id')).trim()
  const space = await readlink('/proc/self/ns/pid').catch(() => '')
  return { pid: process.pid, host: hostname(), machine: `${hostname()} ${boot} ${space}`, started: await startOf(process.pid) }
}

/** @returns undefined when it can't be told from here. */
export async function alive(holder: LockHolder, me: LockHolder): Promise<boolean | undefined> {
  if (holder.machine !== me.machine) return undefined
  if (!exists(holder.pid)) return false
  return (await startOf(holder.pid)) === holder.started
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH'
  }
}

/** Empty where there is no /proc: then a process number alone counts. */
async function startOf(pid: number): Promise<string> {
  const text = await textOf(`/proc/${pid}/stat`)
  // The name in parentheses may contain anything; the 22nd field is the 20th behind it.
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

function textOf(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '')
}
