import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Flight, readVegaFlights, shuffle, toFlight, toNdjson } from './airport-delays/convert.ts'
import { airportTraffic } from './airport-traffic/oracle.ts'
import { byPartition, firstDifference, streamContent, tableContent } from './demo/compare.ts'
import { killAndRecover } from './demo/kill-and-recover.ts'
import { build, bytesInLog, isBuilt, readTopic, runToEnd } from './demo/reprise.ts'
import { count, done, explain, title } from './demo/say.ts'
import { versions } from './demo/versions.ts'
import { canonical } from './reference.ts'

const traffic = {
  name: 'airport-traffic',
  about: 'traffic of the last six hours, hour by hour, and waves of departures; killed with kill -9 while it works',
  outputs: [
    { topic: 'traffic-by-airport', kind: 'table' },
    { topic: 'departure-waves', kind: 'stream' },
  ],
} as const

const dir = mkdtempSync(join(tmpdir(), 'reprise-demo-'))
try {
  await demo()
} finally {
  rmSync(dir, { recursive: true, force: true })
}

async function demo(): Promise<void> {
  title('Reprise: real flight data, exactly once through kill -9, and a job that is replaced while it runs')
  if (!isBuilt()) done('build', await build())
  const flights = shuffle(readVegaFlights().map(toFlight))
  const file = join(dir, 'flights.ndjson')
  writeFileSync(file, toNdjson(flights))
  done('data', `${count(flights.length)} departures in the US, January to March 2001; ${count(outOfOrder(flights))} reported out of order`)
  await recovery(file)
  await versions(flights, join(dir, 'versions'))
  title('Every committed result was there exactly once, whatever was killed when, and whichever version gave it.')
}

async function recovery(flights: string): Promise<void> {
  const { name, about, outputs } = traffic
  title(`${name} – ${about}`)
  const file = fileURLToPath(new URL(`./${name}/job.ts`, import.meta.url))
  const topics = outputs.map(({ topic }) => topic)

  explain(
    'First without a disturbance: the flights go into the log, the job reads them from there and commits its results with its position.',
  )
  const calm = { job: file, dataDir: join(dir, name, 'calm'), flights }
  const summary = await runToEnd(calm)
  done('undisturbed run', `${count(summary.in)} in, ${outText(summary.out, topics)}, ${count(summary.late)} late`)

  explain('The same in another directory, but the process is killed without warning while it works, and started again.')
  const rough = { ...calm, dataDir: join(dir, name, 'rough') }
  const inputBytes = statSync(flights).size
  let kills = 0
  const after = await killAndRecover(rough, { inputBytes, outputBytes: bytesInLog(calm.dataDir) - inputBytes }, (records) => {
    const results = topics.reduce((sum, topic) => sum + (records[topic] ?? 0), 0)
    done('kill -9', `when ${count(records.flights ?? 0)} flights and ${count(results)} results were committed`)
    kills++
  })
  if (kills === 0) throw new Error(`${name} was over before it could be killed`)
  done('recovered', `${count(after.in)} in, ${outText(after.out, topics)}, ${count(after.late)} late`)

  explain(
    'Both outputs are read back from the two logs and compared, then held against a count by brute force that shares no code with the engine.',
  )
  const input = byPartition<Flight>(await readTopic(rough.dataDir, 'flights'))
  const expected = airportTraffic(input)
  const values = { 'traffic-by-airport': expected.traffic, 'departure-waves': expected.waves }
  const late = expected.late.traffic.length + expected.late.waves.length
  for (const { topic, kind } of outputs) {
    const contentOf = kind === 'table' ? tableContent : streamContent
    const [first, second] = [contentOf(await readTopic(calm.dataDir, topic)), contentOf(await readTopic(rough.dataDir, topic))]
    check(`${topic} differs between the two runs`, firstDifference(first, second))
    const found = canonical(second.map((line) => (JSON.parse(line) as { value: unknown }).value))
    check(`${topic} differs from the reference`, firstDifference(canonical(values[topic]), found))
    done(
      'equal and right',
      `${topic}: ${count(second.length)} ${kind === 'table' ? 'keys' : 'records'} in both runs, the same as counted by brute force`,
    )
  }
  check('output digests differ', firstDifference([summary.outputDigest], [after.outputDigest]))
  check('late records differ from the reference', firstDifference([String(late)], [String(after.late)]))
  done('digests', `${summary.outputDigest} = ${after.outputDigest}`)
}

/** Throws what was found to be wrong. */
function check(wrong: string, difference: string | undefined): void {
  if (difference !== undefined) throw new Error(`${wrong}: ${difference}`)
}

function outText(out: Readonly<Record<string, number>>, topics: readonly string[]): string {
  return `${topics.map((topic) => `${count(out[topic] ?? 0)} to ${topic}`).join(', ')}`
}

function outOfOrder(flights: readonly Flight[]): number {
  let highest = 0
  let behind = 0
  for (const { scheduledAt } of flights) {
    if (scheduledAt < highest) behind++
    highest = Math.max(highest, scheduledAt)
  }
  return behind
}
