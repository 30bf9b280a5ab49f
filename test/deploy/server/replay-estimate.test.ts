import { expect, test } from 'vitest'
import { replayEstimate } from '../../../deploy/server/replay-estimate.ts'

const none = { records: 0, seconds: 0 }
/** Live: it mostly waits for records. */
const live = { version: 1, behind: none, busy: { records: 5000, seconds: 2.5 } }
const replayed = { version: 2, behind: { records: 60_000, seconds: 3 }, busy: { records: 60_000, seconds: 1.5 } }

test('a replay is as fast as the last one was while enough waited for it, whatever comes in a second', () => {
  const former = { ...replayed, version: 1, behind: { records: 60_000, seconds: 1 } }
  expect(replayEstimate(120_000, [former, replayed, { ...live, version: 3 }], undefined, null)).toMatchObject({
    ...{ seconds: 6, recordsPerSecond: 20_000, shownBy: 2, atLeast: false },
  })
})

test('where none was behind it takes at least as long as operators needed', () => {
  expect(replayEstimate(120_000, [live], undefined, null)).toMatchObject({ seconds: 60, recordsPerSecond: 2000, shownBy: 1, atLeast: true })
})

test('a limit that is lower counts', () => {
  const limited = { seconds: 1200, recordsPerSecond: 100, shownBy: undefined, atLeast: false }
  expect(replayEstimate(120_000, [replayed], undefined, 100)).toMatchObject(limited)
  expect(replayEstimate(120_000, [live], undefined, 100)).toMatchObject(limited)
  expect(replayEstimate(120_000, [], undefined, 100)).toMatchObject(limited)
  expect(replayEstimate(120_000, [replayed], undefined, 50_000)).toMatchObject({ seconds: 6, shownBy: 2 })
})

test('its outputs take as much for a record as those that are there', () => {
  expect(replayEstimate(500, [], { records: 10_000, bytes: 2_000_000 }, null).diskBytes).toBe(100_000)
})

test('of little nothing is concluded', () => {
  const nothing = { seconds: undefined, recordsPerSecond: undefined, shownBy: undefined, atLeast: false, diskBytes: undefined }
  const few = { records: 999, seconds: 1 }
  expect(replayEstimate(500, [{ version: 1, behind: few, busy: few }], { records: 999, bytes: 1000 }, null)).toEqual(nothing)
  expect(replayEstimate(500, [{ version: 1, behind: none, busy: { records: 2000, seconds: 0 } }], undefined, null)).toEqual(nothing)
})
