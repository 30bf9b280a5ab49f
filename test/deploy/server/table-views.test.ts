import { expect, test } from 'vitest'
import type { TableView } from '../../../deploy/server/table-view.ts'
import { TableViews } from '../../../deploy/server/table-views.ts'

const wanted = () => true
const viewOf = (bytes: number) => () => ({ bytes }) as TableView

test('tables together have no more bytes than they may: those asked for longest ago are given up, and read anew', () => {
  const views = new TableViews(100)
  const [a, b] = [views.open('a', wanted, viewOf(60)), views.open('b', wanted, viewOf(40))]
  expect([views.open('a', wanted, viewOf(60)), views.open('b', wanted, viewOf(40))]).toEqual([a, b])
  expect(views.open('a', wanted, viewOf(0))).toBe(a)
  const c = views.open('c', wanted, viewOf(30))
  views.open('d', wanted, viewOf(0))
  expect(views.open('a', wanted, viewOf(0))).toBe(a)
  expect(views.open('c', wanted, viewOf(0))).toBe(c)
  expect(views.open('b', wanted, viewOf(40))).not.toBe(b)
})

test('one that is not wanted any more is given up', () => {
  const views = new TableViews(100)
  let alive = true
  const first = views.open('a', () => alive, viewOf(1))
  expect(views.open('a', () => alive, viewOf(1))).toBe(first)
  alive = false
  expect(views.open('a', () => alive, viewOf(1))).not.toBe(first)
})
