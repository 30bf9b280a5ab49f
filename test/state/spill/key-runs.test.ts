import { describe, expect, test } from 'vitest'
import { MemorySpillStore } from '../../../state/memory-spill-store.ts'
import { readKeys, sealChunk, wordsOf } from '../../../state/spill/key-runs.ts'
import { SpillDatabase, sealValue } from '../../../state/spill/spill-database.ts'
import { copy } from '../../../state/spill/spill-keys.ts'

const run = (run: number) => ({ run, chunks: 1, keys: 1 })
const corrupt = expect.objectContaining({ code: 'STATE_CORRUPT', details: expect.objectContaining({ store: 's', at: 'g' }) })

/** A database with a directory of one run, and no chunk of it. */
async function withDirectory() {
  const store = new MemorySpillStore()
  const database = new SpillDatabase(store)
  await database.write([
    { key: copy(database.keys.directory('s', 'g')), value: sealValue({ size: 1, applied: 1, nextRun: 2, runs: [run(1)] }) },
  ])
  return { store, database }
}

describe('a chunk of keys that is not there', () => {
  test('is damage when the directory has not changed', async () => {
    const { database } = await withDirectory()
    expect(() => readKeys(database, 's', 'g')).toThrow(corrupt)
    expect(() => [...wordsOf(database, 's', 'g', run(1))]).toThrow(corrupt)
  })

  test('is looked for in the run that took its place', async () => {
    const { store, database } = await withDirectory()
    await database.write([{ key: copy(database.keys.chunk('s', 'g', 2, 0)), value: sealChunk([{ key: 'k', came: true }]) }])
    const merged = sealValue({ size: 1, applied: 2, nextRun: 3, runs: [run(2)] })
    const get = store.get.bind(store)
    const directory = copy(database.keys.directory('s', 'g'))
    let reads = 0
    // The merge is seen between the first read of the directory and the next.
    store.get = (key) => (Buffer.compare(key, directory) === 0 && reads++ > 0 ? merged : get(key))
    expect([...readKeys(database, 's', 'g')]).toEqual(['k'])
  })
})
