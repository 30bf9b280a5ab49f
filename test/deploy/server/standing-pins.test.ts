import { expect, test } from 'vitest'
import { StandingPins } from '../../../deploy/server/standing-pins.ts'
import { ManualClock } from '../../../deploy/testing/manual-clock.ts'
import { BlockBuilder } from '../../../engine/block/block-builder.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'

test('the input of a version that nobody keeps it for stays, for as long as it is named', async () => {
  const clock = new ManualClock(1000)
  const log = new MemoryLog({ clock })
  for (const name of ['in', 'other']) await log.createTopic({ name, partitions: 2, kind: 'stream', retentionMs: 1000 })
  const feeder = await log.producer('feeder')
  const block = () => {
    const builder = new BlockBuilder()
    builder.add({ key: null, value: Buffer.from('{}'), eventTime: 0 })
    return builder.finish()
  }
  const places = ['in', 'other'].flatMap((topic) => [0, 1].map((partition) => ({ topic, partition })))
  const appends = places.map((place) => ({ ...place, block: block() }))
  await feeder.commit({ expect: { seq: 0, hash: '' }, next: { seq: 1, hash: '' }, appends })
  const starts = () => places.map(({ topic, partition }) => log.bounds(topic, partition).start)

  const pins = new StandingPins(log)
  pins.keep(
    new Map([
      [1, ['in', 'not there']],
      [2, ['in']],
    ]),
  )
  clock.advance(60_000)
  log.retain(clock.now())
  expect(starts()).toEqual([0, 0, 1, 1])
  pins.keep(new Map([[2, ['in']]]))
  log.retain(clock.now())
  expect(starts()).toEqual([0, 0, 1, 1])
  pins.keep(new Map())
  log.retain(clock.now())
  expect(starts()).toEqual([1, 1, 1, 1])
})
