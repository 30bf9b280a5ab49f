import { expect, test } from 'vitest'
import { type Known, News } from '../../../deploy/server/news.ts'
import type { TaskFacts } from '../../../engine/runtime/steering.ts'

const facts = (task: number, seq: number) => ({ task, seq }) as TaskFacts

function newsTo() {
  const sent: (readonly Known[])[] = []
  const news = new News((known) => sent.push(known))
  return { news, seen: () => sent.map((known) => known.map(([version, { task, seq }]) => `v${version} ${task}: ${seq}`)) }
}

test('what comes while the last message was not taken in is told once it was, of each task the newest', () => {
  const { news, seen } = newsTo()
  for (let seq = 1; seq <= 1000; seq++) for (const task of [0, 1]) news.add(1, facts(task, seq))
  expect(seen()).toEqual([['v1 0: 1']])
  news.taken()
  expect(seen().slice(1)).toEqual([['v1 1: 1000', 'v1 0: 1000']])
  news.taken()
  expect(seen()).toHaveLength(2)
  news.add(2, facts(0, 7))
  expect(seen().slice(2)).toEqual([['v2 0: 7']])
})

test('all of it is told at once where it must not come late, and then again only when both were taken in', () => {
  const { news, seen } = newsTo()
  news.add(1, facts(0, 1))
  news.add(1, facts(0, 2))
  news.flush()
  news.flush()
  expect(seen()).toEqual([['v1 0: 1'], ['v1 0: 2']])
  news.add(1, facts(0, 3))
  news.taken()
  expect(seen()).toHaveLength(2)
  news.taken()
  expect(seen().slice(2)).toEqual([['v1 0: 3']])
})
