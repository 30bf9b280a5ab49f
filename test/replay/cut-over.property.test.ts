import { expect, test } from 'vitest'
import { jobTopics } from '../../engine/runtime/plan.ts'
import { canonical } from '../../examples/reference.ts'
import { blockOf } from '../sim/feeder.ts'
import { idOf, lastValues, parse } from '../sim/log-records.ts'
import { drawScenario, startAt } from '../sim/scenario.ts'
import { runsOf } from '../support/lane.ts'
import { Random } from '../support/random.ts'
import { VersionsWorld } from './versions-world.ts'

/** Jobs of all kinds, drawn with their input and settings as for the simulation. */
const one = process.env.SIM_SEED === undefined ? undefined : Number(process.env.SIM_SEED)
const from = one ?? 1
const seeds = one !== undefined ? 1 : process.env.REPRISE_FULL === '1' ? 1000 : Math.min(runsOf(100), Number(process.env.SIM_SEEDS ?? 60))
const kinds = new Map<string, number>()
let aborted = 0
/** Cut-overs of versions of several tasks. */
let parallel = 0

test(`what versions with equal logic publish in turns is what one of them alone would, ${seeds} seeds`, {
  timeout: 20_000 + seeds * 3000,
}, async () => {
  for (let seed = from; seed < from + seeds; seed++) {
    try {
      await run(seed)
    } catch (error) {
      throw new Error(`seed ${seed}: SIM_SEED=${seed} npx vitest run test/replay/cut-over.property.test.ts`, { cause: error })
    }
  }
  const cuts = [...kinds.values()].reduce((sum, count) => sum + count, 0)
  if (seeds < 60) return
  expect(kinds.size, [...kinds].join(' · ')).toBeGreaterThan(9)
  expect(parallel, 'cut-overs of several tasks').toBeGreaterThan(30)
  expect(aborted * 10, `${aborted} of ${cuts} aborted`).toBeLessThan(cuts)
})

async function run(seed: number): Promise<void> {
  const { job, input, partitions, bursts, settings, parallelism } = drawScenario(seed)
  // What was diverted from sessions and processes by one version and not by the other they remember differently: the seam that is announced.
  if (job.idleAfterMs !== undefined && (!job.exactWithDiverted || /session|process$/.test(job.kind))) return
  // Which parts of a session were given early depends on how exchanges interleave: what the former owner gave, the next does not take back.
  const alone = job.kind === 'session, early'
  const random = new Random(seed + 1_000_000)
  const name = job.topology.job
  const world = new VersionsWorld(name, ['rows'], settings)
  world.clock.advance(startAt - world.clock.now())
  await world.createSources(partitions)
  // Most versions are cut alike; some are not.
  const tasks = () => (alone ? 1 : random.chance(0.75) ? parallelism : 1 + random.int(3))
  await world.deploy(1, job.topology, tasks())
  let deployed = 1
  let cuts = 0
  for (const burst of bursts) {
    world.clock.advance(burst.afterMs + random.int(random.chance(0.2) ? 2000 : 30))
    await world.append(burst.topic, burst.partition, blockOf(burst.records))
    await world.turns(random.int(8))
    if (random.chance(0.3) && deployed < 3) await world.deploy(++deployed, job.topology, tasks())
    if (random.chance(0.15)) await world.crash(1 + random.int(deployed))
    const to = 1 + random.int(deployed)
    if (to === world.board.control.owner || random.chance(0.6)) continue
    if (random.chance(0.3)) void world.turns(random.int(12)).then(() => world.crash(random.chance(0.5) ? to : 1))
    if (await world.cutOver(to)) cuts++
    else aborted++
  }
  if (cuts > 0) kinds.set(job.kind, (kinds.get(job.kind) ?? 0) + cuts)
  if (parallelism > 1) parallel += cuts
  await world.complete()
  const topics = jobTopics(name, 1)
  const late = await world.records(topics.late)
  const appendTimes = new Map<number, number>()
  for (const topic of job.sources) for (const record of await world.records(topic)) appendTimes.set(idOf(record), record.appendTime)
  // Late for nothing but a partition that was taken for idle: then or, since the versions were aligned, thereafter.
  const inOrder = new Set(job.expected(input, new Set(), appendTimes).late)
  const diverted = new Set(late.map(idOf).filter((id) => !inOrder.has(id)))
  if (diverted.size > 0) expect(job.idleAfterMs, 'a record came too late for windows that no idle partition closed').toBeDefined()
  const expected = job.expected(input, diverted, appendTimes)
  for (const [topic, { kind, rows }] of Object.entries(expected.outputs)) {
    const records = await world.records(topic)
    const found = kind === 'stream' ? records.map(({ value }) => parse(value)) : lastValues(records)
    expect(canonical(found), topic).toEqual(canonical(rows))
  }
  expect(canonical(late.map(idOf).filter((id) => !diverted.has(id))), 'late').toEqual(canonical(expected.late))
  expect(canonical((await world.records(topics.deadLetters)).map(idOf)), 'dead letters').toEqual(canonical(expected.deadLetters))
  await world.close()
}
