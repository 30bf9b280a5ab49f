import { expect, test } from 'vitest'
import type { ChangeList } from '../../state/change-list.ts'
import { Changes } from '../../state/changes.ts'
import { StateEntry } from '../../state/entry.ts'
import { GroupContents } from '../../state/group-contents.ts'
import { StoreMeter } from '../../state/store-meter.ts'

test('entries of groups that come and go between two checkpoints are not kept until the next one', () => {
  const changes = new Changes(1)
  const meter = new StoreMeter()
  const stays = group(changes, meter, -1)
  const gone: GroupContents[] = []
  for (let at = 0; at < 1000; at++) {
    const passing = group(changes, meter, at)
    expect(meter.dirty).toBe(2 * 20)
    changes.cleared(passing)
    gone.push(passing)
  }
  expect(meter.dirty).toBe(20)
  expect(gone.filter(({ lastMade }) => lastMade !== undefined)).toEqual([])
  const { begun, chunks } = frozenList(changes)
  expect(begun.length).toBeLessThan(4 * 20)
  expect(begun.filter(({ removedIn }) => removedIn === 0)).toEqual([stays])
  expect(madeIn(stays)).toEqual([...stays.entries.values()].reverse())
  expect(chunks.flat()).toEqual([])
})

test('a list of which all is gone is empty', () => {
  const changes = new Changes(1)
  const meter = new StoreMeter()
  expect(changes.empty).toBe(true)
  const contents = group(changes, meter, 1)
  expect(changes.empty).toBe(false)
  changes.cleared(contents)
  expect(changes.empty).toBe(true)
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

function madeIn({ lastMade }: GroupContents): StateEntry[] {
  const made: StateEntry[] = []
  for (let entry = lastMade; entry !== undefined; entry = entry.madeBefore) made.push(entry)
  return made
}

function frozenList(changes: Changes) {
  let list: ChangeList | undefined
  changes.freeze((frozen) => {
    list = frozen
    return { save() {} }
  })
  return list!
}
