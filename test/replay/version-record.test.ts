import { expect, test } from 'vitest'
import type { ControlEvent } from '../../replay/control-event.ts'
import { foldControl } from '../../replay/control-state.ts'
import { recordOf } from '../../replay/version-record.ts'

const registered = (version: number): ControlEvent => ({ type: 'registered', at: 1, version, sha256: '', parallelism: 1, fingerprint: '' })
const held = (id: string, from: number, to: number): ControlEvent => ({ type: 'holdRequested', at: 2, id, from, to })

/** @param ends of the public partition, and of the private one of `from`. */
function switched(id: string, from: number, to: number, ...ends: [number, number]): ControlEvent[] {
  const names = { 'out/1': ends[0], [`j.v${from}.private.out/1`]: ends[1] }
  const rest = { positions: {}, watermark: null, processing: 0, ends: names }
  return [held(id, from, to), { type: 'cutOver', at: 3, id, from, to, ...rest }]
}

const of = (version: number, ...events: ControlEvent[]) =>
  recordOf(foldControl(events), 'j', version, 'out', 1)
    .filter(({ from, to }) => from !== to)
    .map(({ topic, from, to }) => `${topic} ${from}-${to ?? ''}`)

const both = [registered(1), registered(2)]
const there = [...both, ...switched('a', 1, 2, 100, 0)]
const back = [...there, ...switched('b', 2, 1, 150, 90)]

test('the first version gives all in public; a candidate all in private', () => {
  expect(of(1, ...both)).toEqual(['j.v1.private.out 0-', 'out 0-'])
  expect(of(2, ...both)).toEqual(['j.v2.private.out 0-'])
})

test('with each switch the one goes on in public, the other in private', () => {
  expect(of(1, ...there)).toEqual(['out 0-100', 'j.v1.private.out 0-'])
  expect(of(2, ...there)).toEqual(['j.v2.private.out 0-', 'out 100-'])
  expect(of(1, ...back)).toEqual(['out 0-100', 'j.v1.private.out 0-', 'out 150-'])
  expect(of(2, ...back)).toEqual(['j.v2.private.out 0-90', 'out 100-150', 'j.v2.private.out 90-'])
  const again = [...back, ...switched('c', 1, 2, 170, 30)]
  expect(of(1, ...again)).toEqual(['out 0-100', 'j.v1.private.out 0-30', 'out 150-170', 'j.v1.private.out 30-'])
  expect(of(2, ...again)).toEqual(['j.v2.private.out 0-90', 'out 100-150', 'j.v2.private.out 90-', 'out 170-'])
})

test('a switch that did not take place, and those of others, change nothing', () => {
  const aborted: ControlEvent[] = [held('c', 2, 1), { type: 'holdAborted', at: 3, id: 'c' }]
  expect(of(2, ...there, ...aborted)).toEqual(of(2, ...there))
  expect(of(3, ...back, registered(3))).toEqual(['j.v3.private.out 0-'])
})

test('what is given later begins as what was given before: stretches come to an end, and more follow', () => {
  const decisions = [...back, ...switched('c', 1, 2, 170, 30), ...switched('d', 2, 1, 180, 95)]
  for (const version of [1, 2]) {
    for (let count = 2; count < decisions.length; count++) {
      const [before, after] = [count, count + 1].map((end) => recordOf(foldControl(decisions.slice(0, end)), 'j', version, 'out', 1))
      before!.forEach(({ topic, from, to }, i) => {
        expect([after![i]!.topic, after![i]!.from]).toEqual([topic, from])
        if (to !== undefined) expect(after![i]!.to).toBe(to)
      })
    }
  }
})
