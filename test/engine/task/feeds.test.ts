import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { DecodedRun } from '../../../engine/task/decoded-run.ts'
import { type Feed, mergeRecords } from '../../../engine/task/feeds.ts'
import { InputBuffer } from '../../../engine/task/input-buffer.ts'
import { chunkOf, placedBlock, recordsAt } from './blocks.ts'

const partitions = fc.array(fc.array(fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 6 }), { maxLength: 5 }), {
  minLength: 1,
  maxLength: 5,
})

test('records of several inputs come by the event time of the heads, of equal ones by input, each input in its own order', () => {
  fc.assert(
    fc.property(partitions, fc.infiniteStream(fc.nat()), (inputs, portions) => {
      const order: string[] = []
      const taken = inputs.map((blocks, input) => {
        const all = blocks.flat()
        const count = all.length === 0 ? 0 : (portions.next().value as number) % (all.length + 1)
        return { times: all.slice(0, count), feed: feedOf(blocks, input, order), count }
      })
      for (const { feed, count } of taken) feed.buffer.decodeUpTo(count)
      mergeRecords(taken)
      expect(order).toEqual(merged(taken.map(({ times }) => times)))
      for (const { feed, count } of taken) expect(feed.buffer.position).toBe(count)
    }),
  )
})

/** One record after the other: the lowest head, the first of equal ones. */
function merged(inputs: readonly (readonly number[])[]): string[] {
  const next = inputs.map(() => 0)
  const order: string[] = []
  for (;;) {
    const heads = inputs.map((times, input) => times[next[input]!] ?? Number.POSITIVE_INFINITY)
    const lowest = Math.min(...heads)
    if (lowest === Number.POSITIVE_INFINITY) return order
    const input = heads.indexOf(lowest)
    order.push(`${input}:${next[input]!++}`)
  }
}

function feedOf(blocks: readonly (readonly number[])[], input: number, order: string[]): Feed {
  const buffer = new InputBuffer(0, (block, first, count) => ({
    block,
    first,
    firstOffset: block.baseOffset + first,
    count,
    values: [],
    times: Float64Array.from({ length: count }, (_, i) => block.eventTime(first + i)),
    bad: undefined,
    taken: 0,
  }))
  let offset = 0
  for (const times of blocks) {
    buffer.push(chunkOf([placedBlock(recordsAt(times), offset)]))
    offset += times.length
  }
  return {
    buffer,
    channels: [],
    process(run: DecodedRun, i: number) {
      order.push(`${input}:${run.firstOffset + i}`)
    },
    save: () => null,
    load() {},
  }
}
