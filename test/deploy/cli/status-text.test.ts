import { expect, test } from 'vitest'
import { statusText } from '../../../deploy/cli/status-text.ts'
import type { VersionView } from '../../../deploy/server/views.ts'

const at = '2026-01-01T00:00:00.000Z'
const candidate: VersionView = {
  job: 'delays',
  version: 2,
  role: 'candidate',
  roleSince: at,
  phase: 'replaying',
  health: 'running',
  reason: null,
  code: null,
  sha256: 'ab',
  parallelism: 1,
  startsAt: {},
  recordsPerSecondMax: null,
  bytesPerSecondMax: null,
  governedTo: null,
  deployedAt: at,
  by: null,
  message: null,
  policy: { maxLagRecords: 1000, maxLagSeconds: 5, holdSeconds: 2, deadlineSeconds: null },
  progress: {
    ratio: 0.5,
    done: '500',
    target: '1000',
    targetMoves: true,
    recordsPerSecond: 100,
    headPerSecond: 10,
    netPerSecond: 90,
    eta: { state: 'computing' },
  },
  lag: null,
  watermark: null,
  gates: [],
  partitions: [],
}

function rateLine(more: Partial<VersionView>): string {
  const job = { job: 'delays', active: 1, candidates: [2], standby: null, hold: null, outputs: [], versions: [{ ...candidate, ...more }] }
  return statusText(job, (_, text) => text)
    .split('\n')
    .find((line) => line.startsWith('  rate'))!
}

test('the limits of a version are said beside its rate, its own ones and what it is held back to', () => {
  const rate = '  rate     100 rec/s   head +10 rec/s   net 90 rec/s'
  expect(rateLine({})).toBe(rate)
  expect(rateLine({ recordsPerSecondMax: 20_000 })).toBe(`${rate}   limit 20.0k rec/s`)
  expect(rateLine({ bytesPerSecondMax: 2_500_000 })).toBe(`${rate}   limit 2.5 MB/s`)
  const all = { recordsPerSecondMax: 500, bytesPerSecondMax: 20_000, governedTo: 1000 }
  expect(rateLine(all)).toBe(`${rate}   limit 500 rec/s, 20 kB/s   held back to 1000 rec/s for v1`)
})
