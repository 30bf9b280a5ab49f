import { expect, test } from 'vitest'
import { DiskWatch } from '../../../deploy/server/disk-watch.ts'
import type { DiskUse } from '../../../deploy/server/version-disk.ts'
import { silentLogger } from '../../../engine/ports/world.ts'
import type { Health, Role } from '../../../replay/control-state.ts'

const mb = 2 ** 20

function watch(uses: Record<number, DiskUse & { role?: Role; health?: Health }>, bytesMax: number) {
  const ended: [number, string, string][] = []
  const lines: unknown[] = []
  const over = new AbortController()
  let looks = 0
  const disk = new DiskWatch({
    bytesMax,
    logger: { ...silentLogger, error: (fields, message) => void lines.push([fields, message]) },
    clock: {
      sleep: async () => {
        if (++looks === 3) over.abort()
      },
    },
    running: () =>
      Object.entries(uses).map(([version, { role = 'active', health = 'running' }]) => ({ version: Number(version), role, health })),
    useOf: async (version) => {
      if (uses[version]!.state < 0) throw new Error('no such disk')
      return uses[version]!
    },
    end: async (version, { code, message }) => {
      ended.push([version, code, message])
      delete uses[version]
    },
  })
  return { disk, ended, lines, over: over.signal }
}

test('a version that has more than it may is ended, with what it has and what to do; the others are not', async () => {
  const { disk, ended, over } = watch({ 1: { state: 6 * mb, topics: 4 * mb }, 2: { state: 6 * mb, topics: 4.5 * mb } }, 10 * mb)
  await disk.run(over)
  expect(ended).toEqual([
    [
      2,
      'VERSION_OUT_OF_DISK',
      '10.5 MB on disk (state 6.0, topics of its own 4.5), 10.0 are allowed: allow more with --disk-quota, or abort it',
    ],
  ])
  expect([...disk.bytes]).toEqual([
    [1, 10 * mb],
    [2, 10.5 * mb],
  ])
})

test('without a limit they are looked at all the same', async () => {
  const { disk, ended, over } = watch({ 1: { state: 1e15, topics: 0 } }, Number.POSITIVE_INFINITY)
  await disk.run(over)
  expect([ended, disk.bytes.get(1)]).toEqual([[], 1e15])
})

test('nor one that only stands still, so that another one can take over from it, or that ends anyway', async () => {
  const more = { state: 2 * mb, topics: 0 }
  const { disk, ended, over } = watch({ 1: { ...more, health: 'stopped' }, 2: { ...more, role: 'aborted' }, 3: more }, mb)
  await disk.run(over)
  expect(ended.map(([version]) => version)).toEqual([3])
})

test('a look that fails is told of, and is taken again', async () => {
  const { disk, lines, over } = watch({ 1: { state: -1, topics: 0 } }, mb)
  await disk.run(over)
  expect(lines).toEqual(Array(3).fill([{ error: new Error('no such disk') }, 'it is not known what versions have on disk']))
})
