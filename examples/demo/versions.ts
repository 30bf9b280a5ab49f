import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Flight } from '../airport-delays/convert.ts'
import { airportDelays } from '../airport-delays/oracle.ts'
import { canonical } from '../reference.ts'
import { byPartition, firstDifference } from './compare.ts'
import { Feeder } from './feeder.ts'
import { cli } from './reprise.ts'
import { count, done, explain, title } from './say.ts'
import { Server } from './server.ts'

const job = 'airport-delays'
const topic = 'delays-by-airport'
const day = 86_400_000

interface CutOver {
  readonly type: string
  readonly to: number
  /** Ends of the public partitions: what comes behind is of version `to`. */
  readonly ends: Readonly<Record<string, number>>
}

/** A job is replaced while it runs: v2 replays beside v1, takes over, goes back, takes over again although the server is killed in it. */
export async function versions(flights: readonly Flight[], dataDir: string): Promise<void> {
  title(`${job} – a changed version replays beside the live one, takes over, goes back`)
  // The third cut-over is the one that is disturbed: both versions stand still, nothing is decided yet.
  const server = await Server.start(dataDir, { REPRISE_FAIL_AT: 'cut-over.held:3' })
  try {
    const feeder = new Feeder(server, withEnd(flights))
    await feeder.sendTo(12_000)
    await reprise(server, 'deploy', 'job.ts')
    done('v1', `publishes; ${count(feeder.sent)} flights are in the log, and more come in all the while`)
    const feeding = feeder.sendTo(flights.length, 600)
    await replayBeside(server)
    await takeTurns(server)
    await feeding
    await feeder.sendTo(flights.length + ends)
    await prove(server, flights.length)
  } finally {
    await server.stop()
  }
}

async function replayBeside(server: Server): Promise<void> {
  explain('v2 gives a field more. It reads the whole history from offset zero, in private, here at 4,000 flights a second to be seen.')
  await reprise(server, 'deploy', 'job-v2.ts')
  await server.call(`/api/v1/jobs/${job}/rate`, { version: 2, recordsPerSecond: 4000 })
  for (let shown = 0; ; await sleep(100)) {
    const { progress, phase } = (await server.job(job)).versions.find(({ version }) => version === 2)!
    if (progress === null) continue
    const { ratio, done: taken, target, eta, recordsPerSecond } = progress
    const rate = recordsPerSecond === null ? '' : `, ${count(Math.round(recordsPerSecond))}/s`
    const left = eta.state === 'estimated' ? `, ${Math.ceil(eta.seconds!)} s left` : ''
    if (ratio >= shown || phase === 'caught-up')
      done(phase === 'caught-up' ? 'caught up' : 'replays', `${count(Number(taken))} of ${count(Number(target))}${rate}${left}`)
    if (phase === 'caught-up') break
    shown = ratio + 0.25
  }
  await server.call(`/api/v1/jobs/${job}/rate`, { version: 2, recordsPerSecond: null })
}

async function takeTurns(server: Server): Promise<void> {
  done('promote', await switched(server, 'promote'))
  await sleep(1500)
  done('roll back', await switched(server, 'rollback'))
  await sleep(1500)
  explain('Once more, and the server is killed with kill -9 while both versions stand still for the switch.')
  const asked = reprise(server, 'promote', 'v2', '--force').catch(() => '')
  await server.killed()
  await asked
  await server.start()
  const { active } = await server.job(job)
  done('kill -9, started again', `v${active} publishes: nothing was decided, so nothing has changed`)
  done('promote', await switched(server, 'promote'))
}

/** @returns what it says. Tried again while the versions catch up after a restart. */
async function switched(server: Server, verb: 'promote' | 'rollback'): Promise<string> {
  for (let left = 100; ; left--) {
    try {
      const text = await reprise(server, verb, ...(verb === 'promote' ? ['v2'] : []), '--json')
      const { result } = JSON.parse(text) as { result: { from: number; to: number; heldMs: number } }
      return `v${result.from} → v${result.to}; readers of ${topic} waited for at most ${result.heldMs} ms`
    } catch (error) {
      if (left === 0) throw error
      await sleep(100)
    }
  }
}

/** Flights far behind all others in time, in both partitions: they close the last day. */
const ends = 20
function withEnd(flights: readonly Flight[]): Flight[] {
  const scheduledAt = flights.at(-1)!.scheduledAt + 30 * day
  return [
    ...flights,
    ...Array.from({ length: ends }, (_, i) => ({ origin: `END${i}`, destination: '', delay: 0, distance: 0, scheduledAt })),
  ]
}

async function prove(server: Server, flights: number): Promise<void> {
  explain('Now the public topic is read back and held against a count by brute force that shares no code with the engine.')
  const input = byPartition<Flight>(await server.records('flights')).map((all) => all.filter(({ origin }) => !origin.startsWith('END')))
  check('flights in the log', [String(flights)], [String(input.flat().length)])
  const early = earlyFlights(input)
  const expected = airportDelays(input).rows.map((row) => ({ ...row, early: early.get(`${row.airport}/${row.day}`) ?? 0 }))
  let records = await server.records(topic)
  for (let left = 100; records.length < expected.length && left > 0; left--) {
    await sleep(100)
    records = await server.records(topic)
  }
  const { items } = await server.call<{ items: { event: CutOver }[] }>(`/api/v1/jobs/${job}/events`)
  const cutOvers = items.map(({ event }) => event).filter(({ type }) => type === 'cutOver')
  const byVersion = [0, 0, 0]
  const found = records.map(({ partition, offset, value }) => {
    const owner = cutOvers.filter(({ ends }) => offset >= (ends[`${topic}/${partition}`] ?? 0)).at(-1)?.to ?? 1
    byVersion[owner]!++
    const { early: published, ...row } = value as { early?: number }
    // v1 knows nothing of early departures.
    if ((published !== undefined) !== (owner === 2))
      throw new Error(`${topic}/${partition}@${offset} is not of v${owner}, which published then`)
    return published === undefined ? { ...row, early: null } : value
  })
  const wanted = new Map(expected.map((row) => [`${row.airport}/${row.day}`, row]))
  const asPublished = records.map(({ key }, i) => {
    const row = wanted.get(key!)!
    return (found[i] as { early: number | null }).early === null ? { ...row, early: null } : row
  })
  check('rows', canonical(asPublished), canonical(found))
  check('keys, each once', canonical([...wanted.keys()]), canonical(records.map(({ key }) => key)))
  done(
    'nothing missing',
    `${count(records.length)} rows for ${count(flights)} flights, each there once and right: ${count(byVersion[1]!)} by v1, ${count(byVersion[2]!)} by v2`,
  )
}

/** By airport and day. None of these flights is more than an hour behind: each counts. */
function earlyFlights(input: readonly (readonly Flight[])[]): ReadonlyMap<string, number> {
  const early = new Map<string, number>()
  for (const { origin, delay, scheduledAt } of input.flat()) {
    const name = `${origin}/${Math.floor(scheduledAt / day) * day}`
    if (delay < 0) early.set(name, (early.get(name) ?? 0) + 1)
  }
  return early
}

function check(what: string, expected: readonly string[], found: readonly string[]): void {
  const difference = firstDifference(expected, found)
  if (difference !== undefined) throw new Error(`${what}: ${difference}`)
}

/** The command line against the server; standard output. */
async function reprise(server: Server, verb: string, ...args: readonly string[]): Promise<string> {
  const target = verb === 'deploy' ? [fileURLToPath(new URL(`../airport-delays/${args[0]}`, import.meta.url))] : [job, ...args, '--yes']
  const child = spawn(process.execPath, [cli, verb, ...target, '--server', server.url], { stdio: ['ignore', 'pipe', 'pipe'] })
  const text = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text.out += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text.err += chunk))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`reprise ${verb} ended with exit code ${code}\n${text.err}`)
  return text.out
}
