import { describe, expect, test } from 'vitest'
import { logProbePoints } from '../../../../engine/log/embedded/probe-points.ts'
import type { CreateOptions, FileSystem, WriteFile } from '../../../../engine/ports/file-system.ts'
import { runsOf } from '../../../support/lane.ts'
import { type CrashOptions, crashRun } from './crash-run.ts'

/**
 * The real log over a disk that forgets. One seed: REPRISE_SEED=7 npx vitest run test/engine/log/embedded/crash.test.ts
 * Thousands: REPRISE_FULL=1
 */
const one = process.env.REPRISE_SEED
const runsOfAll = 120
const runs = process.env.REPRISE_FULL ? 2000 : runsOf(runsOfAll)
const seeds = one ? [Number(one)] : Array.from({ length: runs }, (_, i) => i + 1)

const worlds: Record<string, Omit<CrashOptions, 'seed'>> = {
  'kills and losses of power': {},
  'failed syncs': { failedSyncs: true },
  'a full disk': { fullDisk: true },
  'failed syncs and a full disk': { failedSyncs: true, fullDisk: true },
  'flipped bits': { bitRot: true },
  'all of these together': { bitRot: true, failedSyncs: true, fullDisk: true },
}

describe('no life loses, doubles, tears or invents a commit', () => {
  for (const [name, world] of Object.entries(worlds)) {
    test(
      `after ${name}`,
      async () => {
        const total = { kills: 0, failures: 0, commits: 0, reported: 0 }
        const points = new Set<string>()
        for (const seed of seeds) {
          const result = await crashRun({ seed, ...world })
          total.kills += result.kills
          total.failures += result.failures
          total.commits += result.commits
          total.reported += result.corruptionReported ? 1 : 0
          for (const point of result.points.keys()) points.add(point)
          if (result.violation) throw new Error(report(seed, name, result.violation, result.trace))
        }
        if (one) return
        // A run in which nothing happened proves nothing.
        expect(total.kills).toBeGreaterThan(seeds.length)
        expect(total.commits).toBeGreaterThan(seeds.length * 3)
        if (world.failedSyncs || world.fullDisk) expect(total.failures).toBeGreaterThan(seeds.length / 10)
        if (world.bitRot) expect(total.reported).toBeGreaterThan(seeds.length / 10)
        // A few runs don't come by everywhere.
        if (seeds.length < runsOfAll) return
        const reached = logProbePoints.filter((point) => world.fullDisk || !point.startsWith('log.full.'))
        expect(reached.filter((point) => !points.has(point))).toEqual([])
      },
      process.env.REPRISE_FULL ? 3_600_000 : 60_000,
    )
  }

  test('the same seed gives the same trace', async () => {
    for (const seed of [1, 2, 3]) {
      const world = { seed, failedSyncs: true, fullDisk: true }
      expect((await crashRun(world)).trace).toEqual((await crashRun(world)).trace)
    }
  })
})

describe('a file system that breaks its promises is found out', () => {
  const liars: Record<string, (fs: FileSystem) => FileSystem> = {
    'whose sync does nothing': (fs) => new Liar(fs, { sync: false }),
    'whose directory sync does nothing': (fs) => new Liar(fs, { directory: false }),
    'whose truncation does nothing': (fs) => new Liar(fs, { truncate: false }),
  }
  for (const [name, wrap] of Object.entries(liars)) {
    test(name, async () => {
      const violations: string[] = []
      // A truncation left out shows seldom.
      for (let seed = 840; seed <= 1840 && violations.length === 0; seed++) {
        const { violation } = await crashRun({ seed, fullDisk: true, wrap })
        if (violation) violations.push(violation)
      }
      expect(violations.length).toBe(1)
    })
  }
})

function report(seed: number, world: string, violation: string, trace: readonly string[]): string {
  const lines = [
    `seed ${seed}, ${world}: ${violation}`,
    `again: REPRISE_SEED=${seed} npx vitest run test/engine/log/embedded/crash.test.ts -t '${world}'`,
  ]
  return [...lines, ...trace.slice(-60)].join('\n')
}

/** Says that all went well, and does not do all of it. */
class Liar implements FileSystem {
  private readonly fs: FileSystem
  private readonly honest: { sync?: boolean; directory?: boolean; truncate?: boolean }

  constructor(fs: FileSystem, honest: { sync?: boolean; directory?: boolean; truncate?: boolean }) {
    this.fs = fs
    this.honest = honest
  }

  async create(name: string, options?: CreateOptions): Promise<WriteFile> {
    const { sync = true, truncate = true } = this.honest
    const file = await this.fs.create(name, sync ? options : {})
    return {
      size: () => file.size(),
      read: (into, position) => file.read(into, position),
      close: () => file.close(),
      write: (bytes, position) => file.write(bytes, position),
      sync: async () => (sync ? file.sync() : undefined),
      fillAhead: (from, to) => file.fillAhead(from, to),
      truncate: async (size) => (truncate ? file.truncate(size) : undefined),
    }
  }

  list() {
    return this.fs.list()
  }

  open(name: string) {
    return this.fs.open(name)
  }

  rename(from: string, to: string) {
    return this.fs.rename(from, to)
  }

  remove(name: string) {
    return this.fs.remove(name)
  }

  async syncDirectory(): Promise<void> {
    if (this.honest.directory ?? true) await this.fs.syncDirectory()
  }
}
