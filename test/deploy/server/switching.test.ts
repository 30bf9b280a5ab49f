import { describe, expect, test } from 'vitest'
import { Switching } from '../../../deploy/server/switching.ts'
import { Turn } from '../../../deploy/turn.ts'
import type { StreamError } from '../../../engine/errors.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'
import { silentLogger } from '../../../engine/ports/world.ts'
import type { Gate } from '../../../replay/catch-up.ts'
import type { ControlEvent } from '../../../replay/control-event.ts'
import { foldControl } from '../../../replay/control-state.ts'
import { VersionBoard } from '../../../replay/version-board.ts'
import { SimClock } from '../../support/sim-clock.ts'

const at = 1
const registered = (version: number): ControlEvent => ({
  ...{ type: 'registered', at, version, sha256: `sha-${version}` },
  ...{ parallelism: 1, fingerprint: '' },
})
const cutOver = (id: string, from: number, to: number): ControlEvent[] => [
  { type: 'holdRequested', at, id, from, to },
  { type: 'cutOver', at, id, from, to, positions: {}, watermark: null, processing: 0, ends: {} },
]
const gate = (name: Gate['name'], pass: boolean, found = '?'): Gate => ({ name, pass, found, limit: 'asked', since: at })

/** Of v1, v2 (as given) and others; decisions are never made: unless the turn is given, whoever is in it waits. */
function switching(
  events: readonly ControlEvent[],
  gates: readonly Gate[] = [],
  inTurn: <T>(work: () => Promise<T>) => Promise<T> = () => new Promise(() => {}),
) {
  const clock = new SimClock()
  const board = new VersionBoard()
  board.control = foldControl(events)
  const metrics = { add() {}, set() {}, observe() {} }
  return new Switching(
    {
      job: 'orders',
      board,
      version: (version) => board.control.versions.get(version)!,
      inspected: () => undefined,
      gates: () => gates,
      runs: () => true,
      inTurn,
    },
    { log: new MemoryLog({ clock }), clock, logger: silentLogger, metrics, probe: { at() {} }, holdMs: 1000 },
  )
}

describe('what is refused', () => {
  test('the version that publishes, and one that is no more: also when it is only asked what would happen', () => {
    const one = switching([registered(1), registered(2), { type: 'aborted', at, version: 2 }])
    expect(() => one.checkRole(1)).toThrow(/VERSION_STATE.*it publishes already/)
    expect(() => one.checkRole(2)).toThrow(/VERSION_STATE.*it was aborted/)
  })

  test('any while a cut-over is under way, with its operation', async () => {
    const one = switching([registered(1), registered(2), registered(3)])
    void one.promote({ version: 2, asked: {}, operation: 'op-7' })
    expect(() => one.check({ version: 3, asked: {} })).toThrow(/VERSION_STATE.*a cut-over to v2 is under way, operation: op-7/)
    expect(() => one.checkRole(2)).toThrow(/VERSION_STATE/)
    await expect(one.promote({ version: 3, asked: {} })).rejects.toMatchObject({ code: 'VERSION_STATE' })
  })

  test('with the command that ends the one under way: to a candidate, and back', () => {
    const fixWhile = (events: readonly ControlEvent[], to: number) => {
      const one = switching(events)
      void one.promote({ version: to, asked: {} })
      try {
        one.checkRole(3)
      } catch (error) {
        return (error as StreamError).fix
      }
    }
    const all = [registered(1), registered(2), registered(3)]
    expect(fixWhile(all, 2)).toBe('let it end, or end it: reprise abort orders v2 --keep')
    expect(fixWhile([...all, ...cutOver('a', 1, 2)], 1)).toBe('let it end, or end it: reprise abort orders v1 --keep')
    const byItself = { ...registered(2), promote: 'auto' } as ControlEvent
    expect(fixWhile([registered(1), byItself, registered(3)], 2)).toBe('let it end, or end it: reprise pause orders v2')
  })
})

test('one that is given up while it waits for its turn ends with the reason, and then another may begin', async () => {
  const turn = new Turn()
  let over = () => {}
  const before = new Promise<void>((resolve) => {
    over = resolve
  })
  void turn.take(() => before)
  const one = switching([registered(1), registered(2)], [], (work) => turn.take(work))
  const promoted = one.promote({ version: 2, asked: {} })
  const failed = expect(promoted).rejects.toMatchObject({
    code: 'CUT_OVER_ABORTED',
    details: { reason: 'it was given up before it was decided: by ana' },
  })
  const ended = one.abort('by ana')
  over()
  await Promise.all([failed, ended])
  expect(() => one.checkRole(2)).not.toThrow()
})

describe('what is missing comes with the command that helps', () => {
  const behind = gate('max lag', false, '7 records')

  test('one that is behind is waited for', () => {
    const [blocked, ...more] = switching([registered(1), registered(2)], [gate('running', true), behind]).blockedBy({ version: 2 })
    expect(more).toEqual([])
    expect(blocked).toMatchObject({
      code: 'VERSION_NOT_READY',
      details: { gate: 'max lag', found: '7 records' },
      fix: 'reprise wait orders v2 && reprise promote orders v2',
    })
  })

  test('one that does not run is resumed first; a standby is rolled back to', () => {
    const stopped = gate('running', false, 'stopped')
    const fixOf = (events: readonly ControlEvent[], version: number) => switching(events, [stopped, behind]).blockedBy({ version })[0]!.fix
    expect(fixOf([registered(1), registered(2)], 2)).toBe('reprise resume orders v2 && reprise wait orders v2 && reprise promote orders v2')
    expect(fixOf([registered(1), registered(2), ...cutOver('a', 1, 2)], 1)).toBe(
      'reprise resume orders v1 && reprise wait orders v1 && reprise rollback orders v1',
    )
  })

  test('--force leaves out all but that it runs', () => {
    const one = switching([registered(1), registered(2)], [gate('running', true), behind])
    expect(one.blockedBy({ version: 2, force: true })).toEqual([])
    const stopped = switching([registered(1), registered(2)], [gate('running', false), behind])
    expect(stopped.blockedBy({ version: 2, force: true }).map(({ code }) => code)).toEqual(['VERSION_NOT_READY'])
  })
})
