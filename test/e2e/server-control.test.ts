import { beforeAll, describe, expect, test } from 'vitest'
import type { VersionView } from '../../deploy/server/views.ts'
import { reprise } from '../deploy/cli/fake-terminal.ts'
import { realClock } from '../support/real-clock.ts'
import { start } from './command-line.ts'
import { persistently } from './server-process.ts'
import { numbers, serverUnderTest, stateless, windowed } from './server-under-test.ts'

const { server, fileOf, send, deploy, view, until, caughtUp, promote } = await serverUnderTest()

/** In this process: what a verb prints and asks for is what counts here. */
const cli = (args: string) => reprise(`${args} --server ${server.url}`)
const v1 = fileOf(stateless('orders', 'false'))
const v2 = fileOf(stateless('orders', 'n < 0'))

// `orders` is published by v1, and v2 has caught up; v3 was aborted.
beforeAll(async () => {
  await send('orders', numbers(0, 3000))
  expect((await cli(`deploy ${v1} --no-type-check -m first`)).exit).toBe(0)
  await caughtUp('orders', 1)
  await deploy(stateless('orders', 'n < -2'))
  await deploy(stateless('orders', 'n < -3'))
  for (const version of [2, 3]) await until('orders', version, ({ phase }) => phase === 'caught-up')
  expect((await cli('abort orders v3 --yes')).exit).toBe(0)
}, 60_000)

describe('a dry run', () => {
  test('is refused where the call would be: of the version that publishes, and of one that is no more', async () => {
    for (const version of ['v1', 'v3']) {
      const { exit, out, err } = await cli(`promote orders ${version} --dry-run`)
      expect([exit, out, err]).toEqual([3, '', expect.stringContaining('error VERSION_STATE')])
    }
    expect((await cli('promote orders v2 --dry-run')).exit).toBe(0)
  })

  test('says what stands in the way, with the command that helps, and ends with 3', { timeout: 60_000 }, async () => {
    await cli('pause orders v2')
    const { exit, out } = await cli('promote orders v2 --dry-run')
    expect([exit, out]).toEqual([3, expect.stringContaining('Would not switch orders from v1 to v2')])
    expect(out).toContain('fix       reprise resume orders v2 && reprise wait orders v2 && reprise promote orders v2\n')
    await cli('resume orders v2')
    await send('seams', numbers(0, 100))
    await deploy(windowed('10s', 'seams'), { createTopics: true })
    await caughtUp('seams', 1)
    await deploy(windowed('10s', 'seams', ", { allowedLateness: '5s' }"))
    await until('seams', 2, ({ phase }) => phase === 'caught-up')
    const seam = await cli('promote seams v2 --dry-run')
    expect([seam.exit, seam.out]).toEqual([3, expect.stringMatching(/^ {2}fix .*reprise promote seams v2 --allow-seam$/m)])
    expect(seam.out).not.toContain('reprise wait')
    expect((await cli('promote seams v2 --dry-run --allow-seam')).exit).toBe(0)
  })
})

describe('the same code deployed again', () => {
  test('is the version it is, and says so; flags that it can not have are refused, or named as not taken', async () => {
    const again = await cli(`deploy ${v1} --no-type-check -m second`)
    expect(again.err).toContain('nothing new: this is already v1 (active, running)')
    expect(again.err).toContain('-m is not taken: v1 keeps its message, "first"')
    expect(again.out).toMatch(/^orders: this is already v1 \(active, running\); no other was made\.\n/)
    const limited = await cli(`deploy ${v1} --no-type-check --rate 100`)
    expect([limited.exit, limited.err]).toEqual([3, expect.stringContaining('reprise rate orders <rate> v1')])
  })

  test('with another parallelism it is another version; --wait waits for that', { timeout: 60_000 }, async () => {
    const { exit, out } = await cli(`deploy ${v1} --no-type-check --parallelism 2 --wait`)
    expect([exit, out]).toEqual([0, 'orders v4 has caught up\n'])
    const limited = await cli(`deploy ${v1} --no-type-check --parallelism 2 --rate 100 --json`)
    expect(JSON.parse(limited.out)).toMatchObject({ version: 4, already: true, recordsPerSecondMax: 100 })
    const auto = await cli(`deploy ${v1} --no-type-check --parallelism 2 --promote auto`)
    expect([auto.exit, auto.err]).toEqual([3, expect.stringContaining('reprise wait orders v4 && reprise promote orders v4')])
    expect((await cli('abort orders v4 --yes')).exit).toBe(0)
  })
})

test('a plan says how long the replay takes by what the versions did while they had enough to do, and what it takes on disk', async () => {
  // Nothing comes in: at the rate of that it would take for ever.
  const planned = async (flags = '') => JSON.parse((await cli(`deploy ${v2} --no-type-check --dry-run --json ${flags}`)).out) as object
  expect(await planned()).toMatchObject({ recordsToReplay: 3000, already: null, estimateShownBy: expect.any(Number) })
  const { estimateSeconds, diskBytes, diskFreeBytes } = (await planned()) as Record<string, number>
  expect(estimateSeconds).toBeGreaterThan(0)
  expect(estimateSeconds).toBeLessThan(30)
  // A result has some 20 bytes.
  expect(diskBytes).toBeGreaterThan(3000)
  expect(diskBytes).toBeLessThan(1_000_000)
  expect(diskFreeBytes).toBeGreaterThan(0)
  expect(await planned('--rate 10')).toMatchObject({ estimateSeconds: 300, estimateShownBy: null })
  const { out } = await cli(`deploy ${v2} --no-type-check --dry-run`)
  expect(out).toMatch(/^ {2}estimate {3}(about|at least) .*s at [\d,]+ records\/s \(.*v\d.*\); about [\d.]+ kB of outputs, .* free$/m)
  const missing = await cli(`deploy ${v2} --no-type-check --dry-run --from orders/9@0`)
  expect([missing.exit, missing.err]).toEqual([2, expect.stringContaining('it reads orders/0')])
})

describe('a record', () => {
  test('that is not there can not be passed over', async () => {
    const { exit, err } = await cli('skip orders orders/0@4711 --yes')
    expect([exit, err]).toEqual([1, expect.stringContaining('error OFFSET_OUT_OF_RANGE')])
    expect((await cli('skip orders seams/0@1 --yes')).err).toContain('it reads orders')
  })

  test('that a version stopped at is set aside with a code of its own; of one that does not publish in private', {
    timeout: 60_000,
  }, async () => {
    await send('skips', numbers(0, 20))
    await deploy(stateless('skips', 'n === 7'), { createTopics: true })
    await until('skips', 1, ({ health }) => health === 'stopped')
    const status = await cli('status skips --exit-status')
    expect([status.exit, status.out]).toEqual([1, expect.stringContaining(' · reprise skip skips skips/0@7 v1 · ')])
    expect(status.out).toMatch(/why {6}OPERATOR_THREW: the job/)
    const skipped = await cli('skip skips skips/0@7 --yes')
    expect(skipped.out).toBe('skips v1 sets skips/0@7 aside as a dead letter when it comes to it.\nlook: reprise dlq list skips\n')
    await caughtUp('skips', 1)
    expect((await cli('status skips --exit-status')).exit).toBe(0)
    expect((await cli('dlq list skips')).out).toContain('RECORD_SKIPPED')
    await deploy(stateless('skips', 'n === 9'))
    await until('skips', 2, ({ health }) => health === 'stopped')
    expect((await cli('skip skips skips/0@12 v2 --yes')).out).toMatch(/v2 does not publish: its dead letter is private/)
    expect((await cli('dlq list skips --json')).out).not.toContain('"offset":12')
  })
})

test('a rate of 0 pauses until another rate is set; a pause of its own is not ended by a rate', async () => {
  const health = async (args: string) => (JSON.parse((await cli(`${args} --json`)).out) as VersionView).health
  expect(await health('rate orders 0 v2')).toBe('paused')
  expect(await health('rate orders max v2')).toBe('running')
  expect(await health('pause orders v2')).toBe('paused')
  expect(await health('rate orders 0 v2')).toBe('paused')
  expect(await health('rate orders max v2')).toBe('paused')
  expect(await health('resume orders v2')).toBe('running')
})

test('nobody can be waited for where there is no candidate', async () => {
  await send('alone', numbers(0, 1))
  await deploy(stateless('alone', 'false'), { createTopics: true })
  const { exit, err } = await cli('wait alone')
  expect([exit, err]).toEqual([5, expect.stringContaining('fix   deploy one, or name one of: reprise versions alone')])
})

describe('a cut-over', () => {
  /** v2 could take over, at a common end of windows, which does not come. */
  async function caughtUpOverOtherWindows(job: string): Promise<void> {
    await send(job, numbers(0, 100))
    await deploy(windowed('10s', job), { createTopics: true })
    await caughtUp(job, 1)
    await deploy(windowed('20s', job))
    await until(job, 2, ({ phase }) => phase === 'caught-up')
  }

  test('is refused while another one is under way, with its operation', { timeout: 60_000 }, async () => {
    await caughtUpOverOtherWindows('busy')
    // It waits for a common end of windows, which does not come.
    const { id } = await server.api.post<{ id: string }>('/api/v1/jobs/busy/promote', { version: 2, waitMs: 60_000 })
    const refused = server.api.post('/api/v1/jobs/busy/promote', { version: 2, allowSeam: true })
    await expect(refused).rejects.toMatchObject({ code: 'VERSION_STATE', details: { operation: id } })
    expect((await cli('promote busy v2 --dry-run')).err).toContain('fix   let it end, or end it: reprise abort busy v2 --keep')
    expect((await cli('abort busy v2 --yes')).exit).toBe(0)
  })

  test('is ended before it is decided, and all versions stay as they are; also one that goes back', { timeout: 60_000 }, async () => {
    await caughtUpOverOtherWindows('kept')
    const roles = async () => (await view('kept')).versions.map(({ version, role, health }) => [version, role, health])
    const endsOf = async (verb: string, to: number) => {
      const before = await roles()
      const waits = cli(`${verb} kept v${to} --yes --timeout 50s`)
      const next = '2023-11-14T22:15:00.000Z'
      const under = {
        from: 3 - to,
        to,
        waitsFor: 'common-end',
        changedWindows: [{ now: false, next }],
        endedBy: `reprise abort kept v${to} --keep`,
      }
      await persistently(async () => expect((await view('kept')).cutOver).toMatchObject(under))
      const { waitsSince, waitsUntil } = (await view('kept')).cutOver!
      // Counted from when it was asked for: a moment before it waits.
      expect(Math.abs(Date.parse(waitsUntil!) - Date.parse(waitsSince) - 50_000)).toBeLessThan(1000)
      expect((await cli('status kept')).out).toContain('waits for a common end of windows since')
      const other = await cli(`abort kept v${3 - to} --keep`)
      expect([other.exit, other.err]).toEqual([3, expect.stringContaining(`fix   reprise abort kept v${to} --keep`)])
      expect(await cli('abort kept --keep -m wait')).toMatchObject({
        exit: 0,
        out: expect.stringContaining(`v${to} is under way any more`),
      })
      expect(await waits).toMatchObject({
        exit: 3,
        err: expect.stringMatching(/CUT_OVER_ABORTED[\s\S]*given up before it was decided: by .*, wait/),
      })
      expect(await roles()).toEqual(before)
      expect((await view('kept')).cutOver).toBeNull()
    }
    await endsOf('promote', 2)
    expect((await cli('promote kept v2 --yes --allow-seam')).exit).toBe(0)
    await until('kept', 1, ({ phase }) => phase === 'caught-up')
    await endsOf('rollback', 1)
    // Done again it does nothing; of the one that publishes there is nothing to end.
    expect((await cli('abort kept v1 --keep')).exit).toBe(0)
    expect(await cli('abort kept v2 --keep')).toMatchObject({ exit: 3, err: expect.stringContaining('it publishes') })
  })

  test('goes on when whoever waits for it leaves, which is said; so does a replay', { timeout: 60_000 }, async () => {
    await caughtUpOverOtherWindows('left')
    const promoting = start(['promote', 'left', 'v2', '--yes', '--server', server.url])
    await persistently(async () => expect((await view('left')).cutOver).not.toBeNull())
    promoting.kill('SIGINT')
    const { code, stderr } = await promoting.ended
    expect([code, stderr]).toEqual([130, expect.stringMatching(/server goes on.*reprise status left;.*reprise abort left v2 --keep\n$/)])
    expect((await view('left')).cutOver).toMatchObject({ to: 2 })
    expect((await cli('abort left v2 --keep')).exit).toBe(0)
    await cli('pause left v2')
    const waiting = start(['wait', 'left', 'v2', '--server', server.url])
    await realClock.sleep(1500)
    waiting.kill('SIGINT')
    expect(await waiting.ended).toMatchObject({ code: 130, stderr: expect.stringMatching(/server goes on.*reprise abort left v2\n$/) })
  })

  test('to a version that takes over by itself is not ended: it would try again', { timeout: 60_000 }, async () => {
    await send('itself', numbers(0, 100))
    await deploy(windowed('10s', 'itself'), { createTopics: true })
    await caughtUp('itself', 1)
    await deploy(windowed('20s', 'itself'), { promote: 'auto' })
    expect(await cli('abort itself v2 --keep')).toMatchObject({ exit: 3, err: expect.stringContaining('fix   reprise pause itself v2') })
  })

  test('back goes to the version that was confirmed, and to no other', { timeout: 60_000 }, async () => {
    await until('orders', 2, ({ phase }) => phase === 'caught-up')
    expect((await cli('promote orders v2 --dry-run')).out).toContain('  pause     unknown: no cut-over yet\n')
    await promote('orders', 2)
    const away = server.api.post('/api/v1/jobs/orders/rollback', { version: 3 })
    await expect(away).rejects.toMatchObject({ code: 'VERSION_STATE', details: { reason: 'it is not the way back: that is v1' } })
    await until('orders', 1, ({ phase }) => phase === 'caught-up')
    expect((await cli('rollback orders --dry-run')).out).toMatch(/ {2}pause {5}about \d+ ms, as in the last cut-over\n/)
    const back = await cli('rollback orders v1 --yes')
    expect([back.exit, back.out]).toEqual([0, expect.stringContaining('undo: reprise rollback orders v2\n')])
    const { pause } = JSON.parse((await cli('promote orders v2 --dry-run --json')).out)
    const events = await server.api.get<{ items: { event: { heldMs?: number } }[] }>('/api/v1/jobs/orders/events')
    const held = events.items.flatMap(({ event }) => event.heldMs ?? [])
    expect(pause).toEqual({ cutOvers: 2, lowMs: Math.min(...held), highMs: Math.max(...held) })
    // Once more it does not come back again.
    const again = await cli('rollback orders v1 --yes')
    expect([again.exit, again.err]).toEqual([3, expect.stringContaining('it publishes already')])
  })
})
