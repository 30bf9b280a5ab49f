import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openJobFile } from '../../deploy/load-job-file.ts'
import { silentLogger } from '../../engine/ports/world.ts'
import { reprise } from './command-line.ts'
import { persistently, ServerProcess } from './server-process.ts'
import { numbers, serverUnderTest, stateless, windowed } from './server-under-test.ts'

const { dir, server, fileOf, send, deploy, cli, view, until, caughtUp, records } = await serverUnderTest()

describe('a version that publishes and can not go on', () => {
  test('is stopped with the record named; another takes over from exactly there', { timeout: 60_000 }, async () => {
    await send('numbers', numbers(0, 10))
    await deploy(stateless('numbers', 'n === 13'), { createTopics: true })
    await caughtUp('numbers', 1)
    await send('numbers', numbers(10, 20))
    const stopped = await until('numbers', 1, ({ health }) => health === 'stopped')
    expect(stopped.code).toBe('OPERATOR_THREW')
    expect(stopped.reason).toContain('offset: 13')
    await deploy(stateless('numbers', 'false'))
    // What the one that publishes does not take is not its lag.
    await until('numbers', 2, ({ phase, lag }) => phase === 'caught-up' && lag?.records === '0')
    // At once: that it has caught up is not decided yet, and what is to be decided must not wait for the cut-over, which waits for the old version to start.
    await server.api.post('/api/v1/jobs/numbers/promote', { version: 2 })
    await until('numbers', 2, ({ role }) => role === 'active')
    const { items } = await server.api.get<{ items: { event: { type: string } }[] }>('/api/v1/jobs/numbers/events')
    expect(items.map(({ event }) => event.type)).not.toContain('holdAborted')
    await caughtUp('numbers', 2)
    const published = (await records('numbers-out')).map(({ value }) => value as { n: number })
    expect(published.map(({ n }) => n)).toEqual(Array.from({ length: 20 }, (_, n) => n))
    expect((await view('numbers')).versions.find(({ version }) => version === 1)).toMatchObject({ role: 'standby', health: 'stopped' })
  })

  test('is followed by a version that takes over by itself', { timeout: 60_000 }, async () => {
    await send('followed', numbers(0, 20))
    await deploy(stateless('followed', 'n === 13'), { createTopics: true })
    await until('followed', 1, ({ health }) => health === 'stopped')
    const from = Date.now()
    await deploy(stateless('followed', 'false'), { promote: 'auto' })
    await until('followed', 2, ({ role }) => role === 'active')
    // Far less than a recovery may take.
    expect(Date.now() - from).toBeLessThan(20_000)
    await caughtUp('followed', 2)
    const published = (await records('followed-out')).map(({ value }) => (value as { n: number }).n)
    expect(published).toEqual(Array.from({ length: 20 }, (_, n) => n))
  })
})

describe('a version that stopped at a record', () => {
  test('goes on past it when somebody says so; the record is set aside as a dead letter', { timeout: 60_000 }, async () => {
    await send('skips', numbers(0, 20))
    await deploy(stateless('skips', 'n === 7 || n === 13'), { createTopics: true })
    expect((await until('skips', 1, ({ health }) => health === 'stopped')).reason).toContain('offset: 7')
    expect((await cli('skip', 'skips', 'skips/0@7')).code).toBe(6)
    expect((await cli('skip', 'skips', 'skips/0@7', '--yes', '-m', 'a test order')).code).toBe(0)
    await until('skips', 1, ({ health, reason }) => health === 'stopped' && reason!.includes('offset: 13'))
    await cli('skip', 'skips', 'skips/0@13', '--yes')
    await caughtUp('skips', 1)
    const published = (await records('skips-out')).map(({ value }) => (value as { n: number }).n)
    expect(published).toEqual(Array.from({ length: 20 }, (_, n) => n).filter((n) => n !== 7 && n !== 13))
    expect((await records('skips.dead-letters')).map(({ value }) => (value as { n: number }).n)).toEqual([7, 13])
    // What was taken can't be passed over any more.
    expect((await cli('skip', 'skips', 'skips/0@3', '--yes')).code).toBe(3)
  })
})

test('what waits for a version that stopped is known also after a restart of the server', { timeout: 60_000 }, async () => {
  await send('waiting', numbers(0, 5))
  await deploy(stateless('waiting', 'n === 7'), { createTopics: true })
  await caughtUp('waiting', 1)
  await send('waiting', numbers(5, 10))
  const lagOf = async () => (await view('waiting')).versions[0]!.lag?.records
  await until('waiting', 1, ({ health }) => health === 'stopped')
  await persistently(async () => expect(await lagOf()).toBe('5'), 10_000)
  await server.stop()
  await server.start()
  await send('waiting', numbers(10, 13))
  await persistently(async () => expect(await lagOf()).toBe('8'), 10_000)
  expect((await cli('lag', 'waiting')).stdout).toMatch(/v1 +waiting +0 +5 +13 +8 /)
})

describe('a promotion is refused', () => {
  test('while the version is too far behind, with the gate named; --force and a dry run say more', { timeout: 60_000 }, async () => {
    await send('gated', numbers(0, 5000))
    await deploy(stateless('gated', 'false'), { createTopics: true })
    await caughtUp('gated', 1)
    await deploy(stateless('gated', 'n < 0'))
    await server.api.post('/api/v1/jobs/gated/pause', { version: 2, reason: 'lunch' })
    const refused = await cli('promote', 'gated', 'v2', '--yes')
    expect(refused.code).toBe(3)
    expect(refused.stderr).toMatch(
      /VERSION_NOT_READY[\s\S]*gate: running[\s\S]*fix {3}reprise resume gated v2 && reprise wait gated v2 && reprise promote gated v2/,
    )
    const promoted = server.api.post('/api/v1/jobs/gated/promote', { version: 2 })
    await expect(promoted).rejects.toMatchObject({
      code: 'VERSION_NOT_READY',
      details: { gate: 'running', gates: expect.arrayContaining(['running']) },
    })
    const dry = await cli('promote', 'gated', 'v2', '--dry-run', '--json')
    expect(JSON.parse(dry.stdout)).toMatchObject({ from: 1, to: 2, wouldSucceed: false })
    expect((await cli('wait', 'gated', 'v2', '--timeout', '300ms')).code).toBe(4)
    await cli('resume', 'gated', 'v2')
    expect((await cli('wait', 'gated', 'v2', '--timeout', '20s')).code).toBe(0)
    expect((await cli('promote', 'gated', 'v2', '--yes', '-m', 'better')).stdout).toMatch(/gated is now v2, from gated\/0@5000 on/)
    const events = JSON.parse((await cli('events', 'gated', '--json')).stdout) as { items: { event: { type: string; reason?: string } }[] }
    expect(events.items.map(({ event }) => event.type).filter((type) => type !== 'caughtUp')).toEqual([
      'registered',
      'registered',
      'paused',
      'resumed',
      'holdRequested',
      'cutOver',
    ])
    expect(events.items.at(-1)!.event.reason).toBe('better')

    await cli('pause', 'gated', 'v2')
    const back = await cli('rollback', 'gated', '--yes')
    const [, undo] = /\nundo: (.*)\n/.exec(back.stdout)!
    expect(undo).toBe('reprise resume gated v2 && reprise wait gated v2 && reprise rollback gated v2')
    for (const command of undo!.split(' && ')) {
      const { code, stderr } = await cli(...command.split(' ').slice(1), ...(command.includes('rollback') ? ['--yes'] : []))
      expect(code, stderr).toBe(0)
    }
  })

  test('where no switch is exact, unless the seam is accepted, which is recorded', { timeout: 60_000 }, async () => {
    await send('windowed', numbers(0, 100))
    await deploy(windowed('10s', 'windowed'), { createTopics: true })
    await caughtUp('windowed', 1)
    await deploy(windowed('10s', 'windowed', ", { allowedLateness: '5s' }"))
    await until('windowed', 2, ({ phase }) => phase === 'caught-up')
    const wouldSucceed = async (...flags: string[]) =>
      (JSON.parse((await cli('promote', 'windowed', '--dry-run', '--json', ...flags)).stdout) as { wouldSucceed: boolean }).wouldSucceed
    expect([await wouldSucceed(), await wouldSucceed('--allow-seam')]).toEqual([false, true])
    const paused = async (...flags: string[]) => (await cli('promote', 'windowed', '--dry-run', ...flags)).stdout
    await cli('pause', 'windowed', 'v2')
    expect(await paused('--allow-seam')).toContain(
      'reprise resume windowed v2 && reprise wait windowed v2 && reprise promote windowed v2 --allow-seam\n',
    )
    await cli('resume', 'windowed', 'v2')
    await until('windowed', 2, ({ phase }) => phase === 'caught-up')
    const refused = await cli('promote', 'windowed', '--yes')
    expect(refused.code).toBe(3)
    expect(refused.stderr).toContain('CUT_OVER_SEAM')
    expect(refused.stderr).toMatch(/all: tumbling 10s.* → tumbling 10s, allowed lateness 5s/)
    const promoted = await cli('promote', 'windowed', '--yes', '--allow-seam')
    expect(promoted.code).toBe(0)
    // The way back has the same seam.
    expect(promoted.stdout).toContain('undo: reprise rollback windowed v1 --allow-seam\n')
    const events = (await cli('events', 'windowed', '--json')).stdout
    expect(events).toContain('"seam":["all: tumbling 10s → tumbling 10s, allowed lateness 5s"]')
  })

  test('without a version to go to', async () => {
    expect((await cli('rollback', 'nobody', '--yes')).code).toBe(5)
    expect((await cli('promote', 'windowed', 'v9', '--yes')).code).toBe(5)
    expect((await cli('promote', 'windowed', '--yes')).stderr).toContain('there is no candidate')
    // Nobody is there to say yes.
    expect((await cli('rollback', 'windowed', '--allow-seam')).code).toBe(6)
  })
})

test('between windows of other sizes it waits for a time at which both end; none is missing then, and none is there twice', {
  timeout: 60_000,
}, async () => {
  await send('resized', numbers(0, 100))
  await deploy(windowed('10s', 'resized'), { createTopics: true })
  await caughtUp('resized', 1)
  const plan = await cli('deploy', fileOf(windowed('20s', 'resized')), '--no-type-check', '--dry-run')
  expect(plan.stdout).toContain('all: tumbling 10s → tumbling 20s: the switch waits for a common end of both')
  await deploy(windowed('20s', 'resized'))
  await until('resized', 2, ({ phase }) => phase === 'caught-up')
  const dry = await cli('promote', 'resized', '--dry-run', '--json')
  expect(JSON.parse(dry.stdout)).toMatchObject({
    wouldSucceed: true,
    changedWindows: [{ what: 'all: tumbling 10s → tumbling 20s', now: false, next: '2023-11-14T22:15:00.000Z' }],
  })
  const tooSoon = await cli('promote', 'resized', '--yes', '--timeout', '300ms')
  expect([tooSoon.code, tooSoon.stderr]).toEqual([3, expect.stringMatching(/CUT_OVER_SEAM[\s\S]*next at 2023-11-14T22:15:00.000Z/)])
  const waiting = cli('promote', 'resized', '--yes', '--timeout', '30s')
  await until('resized', 1, ({ partitions }) => partitions[0]?.current === '100')
  await send('resized', numbers(100, 105))
  expect(await waiting).toMatchObject({ code: 0 })
  await send('resized', numbers(105, 161))
  await until('resized', 2, ({ partitions }) => partitions[0]?.current === '161')
  const counted = (await records('resized-out')).map(({ value }) => value as { start: number; count: number })
  expect(counted.map(({ start, count }) => [(start - 1_700_000_000_000) / 1000, count])).toEqual([
    ...Array.from({ length: 10 }, (_, n) => [n * 10, 10]),
    ...[100, 120, 140].map((start) => [start, 20]),
  ])
  expect((await cli('events', 'resized', '--json')).stdout).not.toContain('"seam"')
})

describe('a deployment is refused', () => {
  test('when a source is not there, or another job writes the output', async () => {
    await expect(deploy(stateless('unheard-of', 'false'))).rejects.toThrow(/TOPIC_UNKNOWN.*unheard-of/)
    const thief = stateless('thief', 'false').replace("topic('thief-out'", "topic('numbers-out'")
    await expect(deploy(thief, { createTopics: true })).rejects.toThrow(/OUTPUT_OWNED.*numbers-out/)
  })

  test('when readers of the output would lose a field, unless that is accepted', { timeout: 60_000 }, async () => {
    await send('fields', numbers(0, 3))
    await deploy(stateless('fields', 'false'), { createTopics: true })
    const less = stateless('fields', 'false').replace('n: z.number(), half: z.number()', 'n: z.number()')
    await expect(deploy(less)).rejects.toThrow(/SCHEMA_INCOMPATIBLE.*half: is gone/)
    expect((await deploy(less, { allowSchemaChange: true })).version).toBe(2)
  })

  test('when it is to take over by itself and no switch would be exact', async () => {
    const other = windowed('10s', 'windowed', ", { allowedLateness: '7s' }")
    await expect(deploy(other, { promote: 'auto' })).rejects.toThrow(/CUT_OVER_SEAM.*never take over by itself/)
  })

  test('the same code again is the same version', { timeout: 60_000 }, async () => {
    expect((await deploy(stateless('fields', 'false'))).version).toBe(1)
    expect((await view('fields')).versions.length).toBe(2)
  })
})

test('a version that is to take over by itself does so once, and not again after a roll-back', { timeout: 60_000 }, async () => {
  await send('auto', numbers(0, 100))
  await deploy(stateless('auto', 'false'), { createTopics: true, promote: 'auto' })
  await caughtUp('auto', 1)
  await deploy(stateless('auto', 'n < 0'), { promote: 'auto' })
  await until('auto', 2, ({ role }) => role === 'active')
  expect((await cli('rollback', 'auto', '--yes')).code).toBe(0)
  await new Promise((resolve) => setTimeout(resolve, 1500))
  expect((await view('auto')).active).toBe(1)
})

test('a job that was begun with `reprise run` goes on in a server, and not the other way once it has versions', {
  timeout: 60_000,
}, async () => {
  const data = join(dir, 'begun')
  const [first, second] = ['false', 'n < 0'].map((throws) => fileOf(stateless('begun', throws)))
  const input = join(dir, 'begun.ndjson')
  writeFileSync(
    input,
    numbers(0, 20)
      .map((value) => `${JSON.stringify(value)}\n`)
      .join(''),
  )
  const run = (job: string) => reprise(['run', job, '--data', data, '--ingest', `begun=${input}`, '--until-end', '--json'])
  expect(await run(first!)).toMatchObject({ code: 0 })
  const taken = await ServerProcess.on(data, ['--hold', '100ms', '--hold-timeout', '5s', '--quiet'])
  await taken.start()
  const { bundle } = await openJobFile(second!, silentLogger)
  await taken.api.post('/api/v1/versions', { bundle })
  const at = ['--server', taken.url]
  expect((await reprise(['wait', 'begun', 'v2', '--timeout', '20s', ...at])).code).toBe(0)
  expect((await reprise(['promote', 'begun', 'v2', '--yes', ...at])).code).toBe(0)
  await taken.api.post('/api/v1/topics/begun/records?time=at', numbers(20, 30))
  await persistently(async () => {
    const { items } = await taken.api.get<{ items: { value: { n: number } }[] }>('/api/v1/topics/begun-out/records?limit=1000')
    expect(items.map(({ value }) => value.n)).toEqual(Array.from({ length: 30 }, (_, n) => n))
  })
  await taken.stop()
  expect((await run(second!)).stderr).toMatch(/JOB_CHANGED[\s\S]*2 versions/)
})
