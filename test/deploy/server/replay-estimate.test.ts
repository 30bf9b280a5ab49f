import { expect, test } from 'vitest'
import { replayEstimate } from '../../../deploy/server/replay-estimate.ts'

const live = { version: 1, records: 5000, busySeconds: 2.5 }
const replayed = { version: 2, records: 60_000, busySeconds: 1.5 }

test('a replay is as fast as the fastest version was while it was busy, whatever came in a second', () => {
  expect(replayEstimate(120_000, [live], undefined, null)).toMatchObject({ seconds: 60, recordsPerSecond: 2000, shownBy: 1 })
  expect(replayEstimate(120_000, [live, replayed], undefined, null)).toMatchObject({ seconds: 3, recordsPerSecond: 40_000, shownBy: 2 })
})

test('a limit that is lower counts', () => {
  expect(replayEstimate(120_000, [replayed], undefined, 100)).toMatchObject({ seconds: 1200, recordsPerSecond: 100, shownBy: undefined })
  expect(replayEstimate(120_000, [replayed], undefined, 50_000)).toMatchObject({ seconds: 3, shownBy: 2 })
  expect(replayEstimate(120_000, [], undefined, 100)).toMatchObject({ seconds: 1200 })
})

test('its outputs take as much for a record as those that are there', () => {
  expect(replayEstimate(500, [], { records: 10_000, bytes: 2_000_000 }, null).diskBytes).toBe(100_000)
})

test('of little nothing is concluded', () => {
  const nothing = { seconds: undefined, recordsPerSecond: undefined, shownBy: undefined, diskBytes: undefined }
  expect(replayEstimate(500, [{ version: 1, records: 999, busySeconds: 1 }], { records: 999, bytes: 1000 }, null)).toEqual(nothing)
  expect(replayEstimate(500, [{ version: 1, records: 2000, busySeconds: 0 }], undefined, null)).toEqual(nothing)
})
