import { linkSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Makes `to` a copy of the closed data directory `from` that shares its files: a log never changes a file that a former process wrote, it
 * begins new ones. So every repetition starts from the same bytes, and copying gigabytes is not part of a benchmark.
 */
export function cloneData(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) cloneData(source, target)
    else linkSync(source, target)
  }
}
