import { expect, test } from 'vitest'
import { Changes } from '../../state/changes.ts'
import { StateEntry } from '../../state/entry.ts'
import { GroupContents } from '../../state/group-contents.ts'
import { StoreMeter } from '../../state/store-meter.ts'

test('entries of groups that come and go between two checkpoints are not kept until the next one', () => {
  const changes = new Changes(1)
  const meter = new StoreMeter()
  const stays = group(changes, meter, -1)
  let most = 0
  for (let at = 0; at < 1000; at++) {
    const passing = group(changes, meter, at)
    most = Math.max(most, meter.dirty)
    changes.cleared(passing)
  }
  expect(most).toBeLessThan(4 * 20)
  const kept = frozenList(changes).chunks.flat()
  expect(kept.filter(({ contents }) => contents === stays)).toHaveLength(20)
  expect(kept.length).toBe(meter.dirty)
})

test('groups that an older checkpoint has are cleared in the next one, however many they are', () => {
  const changes = new Changes(1)
  const meter = new StoreMeter()
  const groups = Array.from({ length: 100 }, (_, at) => group(changes, meter, at))
  frozenList(changes)
  for (const contents of groups) {
    for (const entry of contents.entries.values()) entry.generation = -1
    for (const entry of contents.entries.values()) changes.touch(entry)
    changes.cleared(contents)
  }
  expect(frozenList(changes).cleared).toEqual(groups)
})

function group(changes: Changes, meter: StoreMeter, at: number): GroupContents {
  const contents = new GroupContents('s', meter, at, changes.generation)
  for (let key = 0; key < 20; key++) {
    const entry = new StateEntry<unknown>(key, key, changes.generation, changes.generation, contents)
    contents.entries.set(key, entry)
    changes.created(entry)
  }
  return contents
}

function frozenList(changes: Changes) {
  let list: { chunks: StateEntry[][]; cleared: GroupContents[] } | undefined
  changes.freeze((frozen) => {
    list = frozen
    return { save() {} }
  })
  return list!
}
