import { expect, test } from 'vitest'
import { codeOf, StreamError } from '../../engine/errors.ts'
import type { Stores } from '../../engine/ports/state.ts'
import { isManifest } from '../../state/checkpoint/manifest.ts'
import { MemoryCheckpointStore } from '../../state/memory-checkpoint-store.ts'
import { filesOf } from './support/crash-run.ts'
import { checkpoint, countingMetrics, memoryWorld, nextTurn, open, pointAt, restored } from './support/world.ts'

const counts = (state: Stores) => state.store<{ n: number }>('counts')

function manifestsOf(checkpoints: MemoryCheckpointStore): string[] {
  return [...checkpoints.files.keys()].filter(isManifest).sort().reverse()
}

function namesOf(checkpoints: MemoryCheckpointStore, manifest: string): string[] {
  return [manifest, ...filesOf(checkpoints.files.get(manifest)!)]
}

test('values changed in place after a cut are not in its checkpoint', async () => {
  const world = memoryWorld()
  const { state } = await restored(world)
  const keys = 5000
  const group = counts(state).openGroup(1)
  for (let key = 0; key < keys; key++) group.put(key, { n: 0 })
  state.cut(pointAt(1))
  // Some are serialised by steps before they are touched, most by being touched.
  for (let key = 0; key < keys; key++) {
    const entry = group.edit((key * 7) % keys)
    if (key % 3 === 0) entry.value!.n = 1
    else if (key % 3 === 1) group.remove(entry.key)
    else group.put(entry.key, { n: 2 })
    if (key % 500 === 0) state.step(1)
  }
  counts(state).openGroup(2).put('late', { n: 3 })
  state.acknowledged(1)
  await state.settled()
  await state.close()
  const again = (await restored(world)).state
  expect(counts(again).groups()).toEqual([1])
  const found = counts(again).group(1)!
  expect(found.size).toBe(keys)
  for (let key = 0; key < keys; key++) expect(found.get(key)).toEqual({ n: 0 })
})

test('a group removed after a cut is in its checkpoint, and not in the next one', async () => {
  const world = memoryWorld()
  const { state } = await restored(world)
  for (let key = 0; key < 3000; key++) counts(state).openGroup(1).put(key, { n: key })
  state.cut(pointAt(1))
  counts(state).removeGroup(1)
  counts(state).openGroup(1).put(7, { n: -7 })
  state.acknowledged(1)
  await state.settled()
  const first = (await restored(world)).state
  expect(counts(first).group(1)!.size).toBe(3000)
  expect(counts(first).group(1)!.get(7)).toEqual({ n: 7 })
  await checkpoint(state, 2)
  const second = (await restored(world)).state
  expect(counts(second).group(1)!.keys()).toEqual([7])
  expect(counts(second).group(1)!.get(7)).toEqual({ n: -7 })
})

test('many entries come back in order over runs, blocks, deltas and merges', async () => {
  const world = memoryWorld()
  const { state } = await restored(world)
  const text = 'x'.repeat(100)
  for (let seq = 1; seq <= 12; seq++) {
    for (let i = 0; i < 4000; i++) {
      const key = (i * 31 + seq * 997) % 20_000
      state
        .store('big')
        .openGroup(key % 5)
        .put(key % 2 === 0 ? key : `k${key}`, { seq, text })
      if (i % 16 === 0)
        state
          .store('big')
          .group(key % 5)
          ?.remove((key * 3) % 20_000)
    }
    if (seq % 4 === 0) state.store('big').removeGroup(3)
    await checkpoint(state, seq)
  }
  const again = (await restored(world)).state
  expect(again.store('big').groups()).toEqual(state.store('big').groups())
  for (const at of state.store('big').groups()) {
    const keys = state.store('big').group(at)!.keys()
    expect(again.store('big').group(at)!.keys()).toEqual(keys)
    for (const key of keys) expect(again.store('big').group(at)!.get(key)).toEqual(state.store('big').group(at)!.get(key))
  }
})

test('the two kept checkpoints share no file, and each restores alone, whatever becomes of any file of the other', async () => {
  const world = memoryWorld()
  const { state } = await restored(world)
  for (let seq = 1; seq <= 9; seq++) {
    counts(state)
      .openGroup(seq % 3)
      .put(`k${seq}`, { n: seq })
    await checkpoint(state, seq)
    expect(state.published).toMatchObject({ newest: seq, secondNewest: seq - 1 })
    const manifests = manifestsOf(world.checkpoints)
    expect(manifests).toHaveLength(Math.min(seq, 2))
    const names = manifests.flatMap((manifest) => namesOf(world.checkpoints, manifest))
    expect(new Set(names).size).toBe(names.length)
    if (seq === 1) continue
    for (const [which, manifest] of manifests.entries()) {
      for (const name of namesOf(world.checkpoints, manifest)) {
        for (const damage of ['lost', 'changed', 'short'] as const) {
          const copy = new MemoryCheckpointStore()
          for (const [other, bytes] of world.checkpoints.files) copy.files.set(other, Uint8Array.from(bytes))
          const bytes = copy.files.get(name)!
          if (damage === 'lost') copy.files.delete(name)
          else if (damage === 'short') copy.files.set(name, bytes.subarray(0, bytes.length - 1))
          else bytes[Math.floor(bytes.length / 2)]! ^= 1
          const { state: other, point } = await restored({ checkpoints: copy })
          expect(point?.seq, `${damage} ${name}`).toBe(which === 0 ? seq - 1 : seq)
          for (let key = 1; key <= seq; key++) {
            const value = counts(other)
              .group(key % 3)
              ?.get(`k${key}`)
            expect(value).toEqual(key <= point!.seq ? { n: key } : undefined)
          }
        }
      }
    }
  }
})

test('after a fall-back the next checkpoint makes two independent ones again', async () => {
  const world = memoryWorld()
  const first = (await restored(world)).state
  for (let seq = 1; seq <= 4; seq++) {
    counts(first).openGroup(0).put(seq, { n: seq })
    await checkpoint(first, seq)
  }
  await first.close()
  const newest = namesOf(world.checkpoints, manifestsOf(world.checkpoints)[0]!)
  world.checkpoints.files.delete(newest.at(-1)!)
  const { state, point } = await restored(world)
  expect(point!.seq).toBe(3)
  counts(state).openGroup(0).put(4, { n: 44 })
  await checkpoint(state, 4)
  const manifests = manifestsOf(world.checkpoints)
  const names = manifests.flatMap((manifest) => namesOf(world.checkpoints, manifest))
  expect(manifests).toHaveLength(2)
  expect([...world.checkpoints.files.keys()].sort()).toEqual([...names].sort())
  world.checkpoints.files.delete(manifests[1]!)
  const again = await restored(world)
  expect(again.point!.seq).toBe(4)
  expect(counts(again.state).group(0)!.keys()).toEqual([1, 2, 3, 4])
  expect(counts(again.state).group(0)!.get(4)).toEqual({ n: 44 })
})

test('a checkpoint is published only after its slice is acknowledged', async () => {
  const world = memoryWorld()
  const { state } = await restored(world)
  counts(state).openGroup(0).put('a', { n: 1 })
  state.acknowledged(4)
  expect(state.cut(pointAt(5))).toBe(true)
  expect(state.cut(pointAt(6))).toBe(false)
  for (let i = 0; i < 50; i++) {
    state.step(5)
    await nextTurn()
  }
  expect(manifestsOf(world.checkpoints)).toEqual([])
  expect(state.checkpointing).toBe(true)
  state.acknowledged(5)
  await state.settled()
  expect(state.published.newest).toBe(5)
  expect(state.checkpointing).toBe(false)
})

test('a checkpoint that the journal does not have is passed over; one ahead of the journal is an error', async () => {
  const world = memoryWorld()
  const { state } = await restored(world)
  for (const seq of [1, 2]) await checkpoint(state, seq)
  const older = await open(world).restore(({ seq }) => seq === 1)
  expect(older?.seq).toBe(1)
  const ahead = open(world).restore(() => {
    throw new StreamError('LOG_CORRUPT')
  })
  await expect(ahead).rejects.toMatchObject({ code: 'LOG_CORRUPT' })
})

test('state of another topology is not loaded', async () => {
  const world = memoryWorld()
  const { state } = await restored(world)
  await checkpoint(state, 1)
  await expect(restored({ ...world, fingerprint: 'other' })).rejects.toMatchObject({
    code: 'JOB_CHANGED',
    details: { fingerprint: 'other', inCheckpoint: 'f' },
  })
})

test('a value that can not be kept is named, by step and not by whom touches it; nothing is published', async () => {
  const world = memoryWorld()
  const { state } = await restored(world)
  const store = state.store<unknown>('carts')
  store.openGroup('u1').put('items', [{ price: () => 1 }])
  state.cut(pointAt(1))
  state.acknowledged(1)
  store.openGroup('u1').put('items', [])
  const error = await state.settled().then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(codeOf(error)).toBe('STATE_VALUE_UNSUPPORTED')
  expect((error as StreamError).details).toEqual({ store: 'carts', at: 'u1', key: 'items', path: 'value[0].price', type: 'function' })
  expect(() => state.step(1)).toThrow('STATE_VALUE_UNSUPPORTED')
  await state.close()
  expect(manifestsOf(world.checkpoints)).toEqual([])
})

test('what fails in the background is thrown by the next step', async () => {
  const checkpoints = new MemoryCheckpointStore()
  checkpoints.put = async () => {
    throw new StreamError('DISK_FULL')
  }
  const { state } = await restored({ checkpoints })
  counts(state).openGroup(0).put(1, { n: 1 })
  await expect(checkpoint(state, 1)).rejects.toMatchObject({ code: 'DISK_FULL' })
  expect(() => state.step(1)).toThrow('DISK_FULL')
  expect(state.published.newest).toBe(0)
  await state.close()
})

test('a group without entries is none', async () => {
  const { state } = await restored(memoryWorld())
  const store = counts(state)
  const group = store.openGroup(5)
  expect(store.openGroup(5)).toBe(group)
  expect([store.group(5), store.groups(), store.firstGroup()]).toEqual([undefined, [], undefined])
  group.put('a', { n: 1 })
  expect(store.group(5)).toBe(group)
  group.remove('a')
  expect([store.group(5), store.groups()]).toEqual([undefined, []])
  group.put('b', { n: 2 })
  expect(store.group(5)?.keys()).toEqual(['b'])
  store.removeGroup(5)
  store.removeGroup(6)
  state.step(1)
  expect([store.group(5), store.groups(), group.size]).toEqual([undefined, [], 0])
})

test('groups and keys have the canonical order: numbers by value, then text by code unit', async () => {
  const { state } = await restored(memoryWorld())
  const keys = ['b', 10, 'a', -1, '\u{1f600}', '\uffff', 9, 0, '10', Infinity]
  const order = [-1, 0, 9, 10, Infinity, '10', 'a', 'b', '\u{1f600}', '\uffff']
  for (const key of keys) {
    counts(state).openGroup(key).put(key, { n: 1 })
    counts(state).openGroup('all').put(key, { n: 1 })
  }
  counts(state).openGroup('all').put(-0, { n: 2 })
  expect(counts(state).group('all')!.keys()).toEqual(order)
  expect(
    counts(state)
      .groups()
      .filter((at) => at !== 'all'),
  ).toEqual(order)
  expect(counts(state).firstGroup()).toBe(-1)
})

test('keys that are neither text nor a number are refused', async () => {
  const { state } = await restored(memoryWorld())
  const store = counts(state)
  for (const key of [Number.NaN, undefined, null, {}] as never[]) {
    expect(() => store.openGroup(0).put(key, { n: 1 })).toThrow('KEY_INVALID')
    expect(() => store.openGroup(key)).toThrow('KEY_INVALID')
  }
})

test('damaged checkpoints and failed ones are counted, and how large the newest is', async () => {
  const world = memoryWorld()
  const { state } = await restored(world)
  expect([state.published.bytes, state.sizes()]).toEqual([0, []])
  for (let seq = 1; seq <= 2; seq++) {
    counts(state).openGroup(0).put(`k${seq}`, { n: seq })
    await checkpoint(state, seq)
  }
  const [newest] = manifestsOf(world.checkpoints)
  const files = namesOf(world.checkpoints, newest!).filter((name) => name !== newest)
  expect(state.published.bytes).toBe(files.reduce((sum, name) => sum + world.checkpoints.files.get(name)!.length, 0))
  expect(state.sizes()).toEqual([{ store: counts(state).name, keys: 2, bytes: expect.any(Number) }])
  const bytes = world.checkpoints.files.get(files[0]!)!
  bytes[Math.floor(bytes.length / 2)]! ^= 1
  const counted = countingMetrics()
  const again = (await restored({ ...world, metrics: counted.metrics })).state
  expect(counted.counts).toEqual({
    'reprise_checkpoint_failures_total v1': 0,
    'reprise_state_corruptions_total checkpoint': 1,
    'reprise_state_corruptions_total spill': 0,
  })
  world.checkpoints.put = () => Promise.reject(new Error('no disk'))
  counts(again).openGroup(0).put('k3', { n: 3 })
  await expect(checkpoint(again, 3)).rejects.toThrow('no disk')
  expect(counted.counts['reprise_checkpoint_failures_total v1']).toBe(1)
  // One that is given up is no failure.
  const given = countingMetrics()
  const other = (await restored({ ...memoryWorld(), metrics: given.metrics })).state
  counts(other).openGroup(0).put('k', { n: 1 })
  other.cut(pointAt(1))
  await other.close()
  expect(given.counts['reprise_checkpoint_failures_total v1']).toBe(0)
})
