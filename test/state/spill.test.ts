import { describe, expect, test } from 'vitest'
import type { Stores, TaskState } from '../../engine/ports/state.ts'
import { MemoryCheckpointStore } from '../../state/memory-checkpoint-store.ts'
import { MemorySpillStore } from '../../state/memory-spill-store.ts'
import { Random } from '../support/random.ts'
import { checkpoint, countingMetrics, nextTurn, pointAt, restored } from './support/world.ts'

const memoryBytesMax = 400_000
const keys = 8000

const keysOf = (state: TaskState) => state.sizes().find(({ store }) => store === 'totals')!.keys

const totals = (state: Stores) => state.store<{ n: number; note: string }>('totals')

/** As a task does it: over the budget no slice is run until a checkpoint has made room. */
async function room(state: TaskState, seq: number): Promise<void> {
  while (state.full) {
    state.acknowledged(seq)
    if (!state.checkpointing) state.cut(pointAt(seq))
    state.step(2)
    await nextTurn()
  }
}

/** Slices over many more keys than memory holds. @returns the most bytes seen at the end of a slice's steps. */
async function fill(state: TaskState, model: Map<number, number>, seed: number, slices: number): Promise<number> {
  const random = new Random(seed)
  let most = 0
  for (let seq = 1; seq <= slices; seq++) {
    await room(state, seq - 1)
    for (let i = 0; i < 200; i++) {
      const key = random.int(keys)
      const entry = totals(state)
        .openGroup(key % 7)
        .edit(key)
      entry.value = { n: (entry.value?.n ?? 0) + 1, note: `of ${key}` }
      model.set(key, (model.get(key) ?? 0) + 1)
    }
    if (seq % 5 === 0 && state.cut(pointAt(seq))) state.acknowledged(seq)
    for (let step = 0; step < 40; step++) {
      state.step(2)
      await nextTurn()
    }
    most = Math.max(most, state.bytesInMemory)
  }
  return most
}

function expectTotals(state: Stores, model: ReadonlyMap<number, number>): void {
  for (let at = 0; at < 7; at++) {
    const expected = [...model.keys()].filter((key) => key % 7 === at).sort((a, b) => a - b)
    expect(totals(state).group(at)?.keys() ?? []).toEqual(expected)
  }
  for (const [key, n] of model)
    expect(
      totals(state)
        .group(key % 7)!
        .get(key),
    ).toEqual({ n, note: `of ${key}` })
}

describe('state of several times the budget', () => {
  test('stays within it, reads as if all were in memory, and is not loaded at the start', async () => {
    const world = { checkpoints: new MemoryCheckpointStore(), spill: new MemorySpillStore(), memoryBytesMax }
    const { state } = await restored(world)
    const model = new Map<number, number>()
    const most = await fill(state, model, 1, 120)
    expect(model.size).toBeGreaterThan(7000)
    expect(model.size * 200).toBeGreaterThan(3 * memoryBytesMax)
    expect(most).toBeLessThan(memoryBytesMax)
    expect(keysOf(state)).toBe(model.size)
    await state.settled()
    await checkpoint(state, 121)
    await state.close()
    const again = (await restored(world)).state
    expect(keysOf(again)).toBe(model.size)
    expect(again.bytesInMemory).toBe(0)
    expect(totals(again).groups()).toEqual([0, 1, 2, 3, 4, 5, 6])
    expect(totals(again).group(3)!.size).toBe([...model.keys()].filter((key) => key % 7 === 3).length)
    expect(again.bytesInMemory).toBe(0)
    expectTotals(again, model)
    expect(keysOf(again)).toBe(model.size)
    await again.close()
    // Nothing of these groups is in memory.
    const third = (await restored(world)).state
    const [gone, kept] = [totals(third).group(3)!, totals(third).group(4)!.keys()]
    const inGroup = gone.size
    totals(third).removeGroup(3)
    totals(third).group(4)!.remove(kept[0]!)
    totals(third).group(4)!.put(kept[0]!, { n: 1, note: 'again' })
    totals(third).group(4)!.remove(kept[1]!)
    expect(keysOf(third)).toBe(model.size - inGroup - 1)
    await third.close()
  })

  test('only ever puts below memory what is published', async () => {
    const world = { checkpoints: new MemoryCheckpointStore(), spill: new MemorySpillStore(), memoryBytesMax }
    const { state } = await restored(world)
    let batches = 0
    const batch = world.spill.batch.bind(world.spill)
    world.spill.batch = (puts) => {
      batches++
      expect(state.published.newest).toBeGreaterThan(0)
      return batch(puts)
    }
    for (let key = 0; key < 2500; key++) totals(state).openGroup(0).put(key, { n: 1, note: '' })
    expect(state.full).toBe(true)
    state.cut(pointAt(1))
    for (let i = 0; i < 100; i++) {
      state.step(2)
      await nextTurn()
    }
    expect([batches, state.full]).toEqual([0, true])
    const relieved = state.relieved()
    state.acknowledged(1)
    while (state.full) {
      state.step(2)
      await nextTurn()
    }
    state.step(2)
    await relieved
    await state.close()
  })

  test('is built anew in the next life when what was read from below is damaged', async () => {
    const world = { checkpoints: new MemoryCheckpointStore(), spill: new MemorySpillStore(0), memoryBytesMax }
    const model = new Map<number, number>()
    const first = (await restored(world)).state
    await fill(first, model, 2, 60)
    await first.settled()
    await checkpoint(first, 61)
    await first.close()
    const random = new Random(3)
    for (let i = 0; i < 2000; i++) world.spill.spoil((below) => random.int(below))
    const { counts, metrics } = countingMetrics()
    const second = (await restored({ ...world, metrics })).state
    expect(() => expectTotals(second, model)).toThrow('STATE_CORRUPT')
    expect(() => second.step(1)).toThrow('STATE_CORRUPT')
    expect(() => second.step(1)).toThrow('STATE_CORRUPT')
    await second.close()
    expect(counts['reprise_state_corruptions_total spill']).toBe(1)
    const third = (await restored(world)).state
    expectTotals(third, model)
    await third.close()
  })
})

describe('when chunks of keys are missing below memory', () => {
  /** A life that ends as it needs them, and what is left. */
  async function endedByMissingChunks() {
    const spill = new MemorySpillStore(0)
    const points: string[] = []
    const { counts, metrics } = countingMetrics()
    const world = {
      checkpoints: new MemoryCheckpointStore(),
      spill,
      memoryBytesMax,
      metrics,
      probe: { at: (point: string) => void points.push(point) },
    }
    const first = (await restored(world)).state
    await fill(first, new Map(), 5, 60)
    await first.settled()
    await checkpoint(first, 61)
    await first.close()
    const get = spill.get.bind(spill)
    spill.get = (key) => (key[0] === 0x6b ? undefined : get(key))
    const second = (await restored(world)).state
    await expect(fill(second, new Map(), 6, 60)).rejects.toThrow('STATE_CORRUPT')
    expect(counts['reprise_state_corruptions_total spill']).toBe(1)
    return { world, second, points, found: () => (spill.get = get) }
  }

  const expectWhole = (state: TaskState) => {
    for (let at = 0; at < 7; at++) expect(totals(state).group(at)!.keys().length).toBe(totals(state).group(at)!.size)
  }

  test('the next life builds it anew', async () => {
    const { world, second, points, found } = await endedByMissingChunks()
    await second.close()
    found()
    expect(points).not.toContain('restore.rebuilt')
    const third = (await restored(world)).state
    expect(points).toContain('restore.rebuilt')
    expectWhole(third)
    await third.close()
  })

  test('so does one that finds it when it goes on where a crash ended the one before', async () => {
    const { world, points, found } = await endedByMissingChunks()
    const third = (await restored(world)).state
    expect(points).toContain('restore.rebuilt')
    found()
    expectWhole(third)
    await third.close()
  })
})

test('small state never touches the spill store', async () => {
  const world = { checkpoints: new MemoryCheckpointStore(), spill: new MemorySpillStore(), memoryBytesMax }
  world.spill.batch = () => Promise.reject(new Error('not to be used'))
  for (let life = 1; life <= 3; life++) {
    const { state } = await restored(world)
    for (let key = 0; key < 500; key++) totals(state).openGroup(0).put(key, { n: life, note: '' })
    await checkpoint(state, life)
    await state.close()
  }
})
