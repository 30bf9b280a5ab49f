import { describe, expect, test } from 'vitest'
import { statusLine, statusText } from '../../../deploy/cli/status-text.ts'
import { takingOver } from '../../../deploy/cli/ways-out.ts'
import type { CutOverView, JobView, VersionView } from '../../../deploy/server/views.ts'

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
  record: null,
  promote: 'manual',
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
  seam: [],
  partitions: [],
}

function rateLine(more: Partial<VersionView>): string {
  const job = {
    job: 'delays',
    active: 1,
    candidates: [2],
    standby: null,
    hold: null,
    cutOver: null,
    outputs: [],
    versions: [{ ...candidate, ...more }],
  }
  return statusText(job, { paint: (_, text) => text, columns: Number.POSITIVE_INFINITY })
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

const active: VersionView = { ...candidate, version: 1, role: 'active', phase: null, progress: null }
const gate = (name: string, pass: boolean) => ({
  name,
  pass,
  found: '730800 records, 525600.0s (flights/0)',
  limit: '1000 records, 5.0s',
  since: at,
})

function screen(versions: readonly VersionView[], more: Partial<JobView> = {}, columns = 80): string {
  const job = {
    job: 'delays',
    active: 1,
    candidates: [],
    standby: null,
    hold: null,
    cutOver: null,
    outputs: [],
    versions: [...versions],
    ...more,
  }
  return statusText(job, { paint: (_, text) => text, columns })
}

test('what is said fits into 80 columns', () => {
  const full: VersionView = {
    ...candidate,
    recordsPerSecondMax: 500,
    bytesPerSecondMax: 20_000,
    governedTo: 1000,
    progress: { ...candidate.progress!, eta: { state: 'never', reason: '12,000 records/s come in, 11,600 records/s are taken' } },
    gates: [gate('running', true), gate('max lag', false), gate('held', false)],
    lag: { records: '730800', seconds: 525_600, partition: 'flights/0' },
  }
  const stopped = {
    ...active,
    health: 'stopped' as const,
    code: 'OPERATOR_THREW',
    reason: `OPERATOR_THREW: ${'the function threw '.repeat(9)}`,
  }
  for (const version of [full, { ...full, progress: { ...full.progress!, ratio: 1, eta: { state: 'computing' as const } } }]) {
    const text = screen([stopped, version])
    for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80)
    expect(text).toContain('✖ held: 730800 records')
  }
})

describe('since when', () => {
  const gates = [gate('running', true), gate('max lag', false), gate('held', false)]

  test('it waits for a gate', () => {
    const waiting = { ...candidate, gates, progress: { ...candidate.progress!, ratio: 1 } }
    expect(screen([active, waiting], {}, 200)).toContain('v2  waits for "max lag" since 2026-01-01 00:00:00 UTC: 730800 records')
  })

  test('it has caught up: since the last gate came true; who takes over by itself is told apart', () => {
    const ready = { ...candidate, phase: 'caught-up' as const, gates: gates.map((one) => ({ ...one, pass: true })) }
    expect(screen([active, ready])).toMatch(
      /v2 {2}CAUGHT UP – waiting for promotion since 2026-01-01 00:00:02 UTC[\s\S]*next +reprise promote delays v2/,
    )
    const auto = screen([active, { ...ready, promote: 'auto' }])
    expect(auto).toContain('v2  CAUGHT UP – takes over by itself since')
    expect(auto).toContain('next     at once: reprise promote delays v2')
    expect(screen([active, { ...candidate, promote: 'auto' }])).toContain('v2  REPLAYING – takes over by itself')
  })
})

describe('the ways out of a version that publishes and was stopped', () => {
  const record = { topic: 'flights', partition: 0, offset: '13' }
  const stopped: VersionView = { ...active, health: 'stopped', code: 'OPERATOR_THREW', reason: 'OPERATOR_THREW: it threw', record }
  const options = (versions: readonly VersionView[], more: Partial<JobView> = {}) =>
    /^ {2}options {2}(.*)$/m.exec(screen([stopped, ...versions], more, 400))![1]!.split(' · ')
  const resume = 'reprise resume delays v1'
  const skip = 'reprise skip delays flights/0@13 v1'

  test('the reason has its code once', () => {
    expect(screen([stopped])).toContain('why      OPERATOR_THREW: it threw\n')
    expect(screen([{ ...stopped, reason: 'it threw' }])).toContain('why      OPERATOR_THREW: it threw\n')
    // What it tells of a record neither begins a line nor steers the terminal.
    expect(screen([{ ...stopped, reason: 'no\n\x1b[2J' }])).toContain('why      OPERATOR_THREW: no\\n\\u001b[2J\n')
  })

  test('are to pass the record over, and to deploy, where there is no other version', () => {
    expect(options([])).toEqual([resume, skip, 'deploy a version that can go on'])
    const moved = { ...stopped, partitions: [{ ...record, current: '14', end: '20', lag: '6', lagSeconds: 1 }] }
    expect(screen([{ ...moved, partitions: moved.partitions.map(({ offset: _, ...one }) => one) }], {}, 400)).not.toContain('reprise skip')
  })

  test('are to go back where the former version runs, and to promote a candidate', () => {
    const standby: VersionView = { ...active, version: 3, role: 'standby', phase: 'caught-up' }
    const ready: VersionView = { ...candidate, phase: 'caught-up' }
    expect(options([standby, ready], { standby: 3 })).toEqual([resume, skip, 'reprise rollback delays v3', 'reprise promote delays v2'])
    const behind: VersionView = { ...standby, phase: 'replaying' }
    expect(options([behind], { standby: 3 })).toContain('reprise wait delays v3 && reprise rollback delays v3')
    expect(options([candidate])).toEqual([resume, skip, 'reprise wait delays v2 && reprise promote delays v2'])
    const gone: VersionView = { ...standby, health: 'stopped' }
    expect(options([gone], { standby: 3 })).toEqual([resume, skip, 'deploy a version that can go on'])
    expect(screen([stopped, gone], { standby: 3 }, 400)).toContain(
      [
        'standby v3   stopped; once it runs it is the way back',
        '  why      no reason was given',
        '  options  reprise resume delays v3\n',
      ].join('\n'),
    )
    const threw: VersionView = { ...stopped, version: 3, role: 'standby' }
    const [, , why, what] = screen([active, threw], { standby: 3 }, 400).split('\n')
    expect(why).toMatch(/^ {2}why {6}\w+/)
    expect(what).toMatch(/^ {2}options {2}reprise resume delays v3 · reprise skip delays \S+ v3$/)
  })
})

test('where no switch is exact the commands accept the seam, which they would be refused for', () => {
  const seam = ['src: out of order by 1 s → 2 s']
  const ready: VersionView = { ...candidate, phase: 'caught-up', seam }
  expect(screen([active, ready])).toContain('next     reprise promote delays v2 --allow-seam')
  const standby: VersionView = { ...active, role: 'standby', phase: 'caught-up', version: 3, seam }
  expect(screen([active, standby], { standby: 3 })).toContain('the way back: reprise rollback delays v3 --allow-seam')
})

test('what takes over is resumed first where it does not run, and waited for', () => {
  const standby: VersionView = { ...active, role: 'standby', phase: 'caught-up', version: 3 }
  expect(takingOver(standby, 'rollback')).toBe('reprise rollback delays v3')
  for (const health of ['paused', 'stopped'] as const)
    expect(takingOver({ ...standby, health }, 'rollback')).toBe(
      'reprise resume delays v3 && reprise wait delays v3 && reprise rollback delays v3',
    )
})

test('of versions that published before each is shown, with a command that is not refused', () => {
  const standby: VersionView = { ...active, role: 'standby', phase: 'caught-up', version: 3 }
  const shown = (...versions: VersionView[]) => screen([active, ...versions], { standby: 3 }, 200)
  const older: VersionView = { ...standby, version: 2 }
  expect(shown(standby, older)).toContain(
    'standby v3   the way back: reprise rollback delays v3\nstandby v2   one to promote: reprise promote delays v2\n',
  )
  expect(shown({ ...standby, phase: 'replaying' }, { ...older, health: 'paused' })).toContain(
    [
      'standby v3   the way back: reprise wait delays v3 && reprise rollback delays v3',
      'standby v2   paused; once it runs it is one to promote',
      '  why      no reason was given',
      '  options  reprise resume delays v2\n',
    ].join('\n'),
  )
})

describe('while a cut-over is under way', () => {
  const cutOver: CutOverView = {
    from: 1,
    to: 2,
    operation: 'op-1',
    since: at,
    attempt: 1,
    waitsFor: 'common-end',
    waitsSince: at,
    waitsUntil: '2026-01-01T01:00:00.000Z',
    changedWindows: [{ what: 'all: tumbling 10s → tumbling 20s', now: false, next: '2025-12-31T00:00:00.000Z' }],
    endedBy: 'reprise abort delays v2 --keep',
  }
  const caughtUp: VersionView = { ...candidate, phase: 'caught-up', gates: [gate('held', true)] }

  test('it says what it waits for, since when, until when, and the command that ends it; none that would be refused', () => {
    const standby: VersionView = { ...caughtUp, version: 3, role: 'standby' }
    const text = screen([active, caughtUp, standby], { cutOver, standby: 3 }, Number.POSITIVE_INFINITY)
    expect(text).toContain('v1 → v2 waits for a common end of windows since 2026-01-01 00:00:00 UTC, until 2026-01-01 01:00:00 UTC at most')
    expect(text).toContain('all: tumbling 10s → tumbling 20s, next at 2025-12-31 00:00:00 UTC of their time')
    expect(text).toContain('  next     reprise abort delays v2 --keep')
    expect(text).not.toMatch(/waiting for promotion|reprise promote|reprise rollback/)
    const stopped = screen([{ ...active, health: 'stopped' }, caughtUp], { cutOver })
    expect(stopped).not.toMatch(/reprise promote/)
  })

  test('of the hold too; in a pipe on the line of the version that is to take over', () => {
    const held = { ...cutOver, attempt: 2, waitsFor: 'hold' as const }
    const text = screen([active, caughtUp], { cutOver: held }, Number.POSITIVE_INFINITY)
    expect(text).toContain('(attempt 2) waits for both versions to stand still at one record since')
    expect(text).not.toContain('tumbling')
    expect(statusLine(caughtUp, cutOver)).toMatch(/ cut_over=common-end until=2026-01-01T01:00:00.000Z\n$/)
    expect(statusLine(active, cutOver)).not.toContain('cut_over')
  })
})
