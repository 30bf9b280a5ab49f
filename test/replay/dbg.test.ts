import { test } from 'vitest'
import { jobTopics } from '../../engine/runtime/plan.ts'
import { blockOf } from '../sim/feeder.ts'
import { drawScenario, startAt } from '../sim/scenario.ts'
import { Random } from '../support/random.ts'
import { VersionsWorld } from './versions-world.ts'
test('dbg', { timeout: 60000 }, async () => {
  const seed = Number(process.env.REPRISE_SEED)
  const { job, partitions, bursts, settings } = drawScenario(seed)
  const random = new Random(seed + 1_000_000)
  const name = job.topology.job
  const world = new VersionsWorld(name, ['rows'], settings)
  world.clock.advance(startAt - world.clock.now())
  await world.createSources(partitions)
  await world.deploy(1, job.topology)
  let deployed = 1
  console.log(job.kind, job.outOfOrdernessMs, job.idleAfterMs, JSON.stringify(partitions))
  for (const burst of bursts) {
    world.clock.advance(burst.afterMs + random.int(random.chance(0.2) ? 2000 : 30))
    await world.append(burst.topic, burst.partition, blockOf(burst.records))
    await world.turns(random.int(8))
    if (random.chance(0.3) && deployed < 3) await world.deploy(++deployed, job.topology)
    if (random.chance(0.15)) await world.crash(1 + random.int(deployed))
    const to = 1 + random.int(deployed)
    if (to === world.board.control.owner || random.chance(0.6)) continue
    if (random.chance(0.3)) void world.turns(random.int(12)).then(() => world.crash(random.chance(0.5) ? to : 1))
    await world.cutOver(to)
  }
  await world.complete()
  for (const r of await world.records(`${name}.control`)) console.log('CONTROL', r.offset + 1, Buffer.from(r.value!).toString().slice(0, 300))
  for (let v = 1; v <= deployed; v++) {
    for (const r of await world.records(jobTopics(name, v).journal)) {
      const j = JSON.parse(Buffer.from(r.value!).toString())
      console.log('V' + v, j.slice.seq, 'r', JSON.stringify(j.slice.ranges.map((x: any) => [x.input, x.from, x.to])), 'W', j.watermark, 'P', j.slice.processing, 'idle', j.slice.idle.join(), 'cap', j.slice.cap?.watermark, j.slice.hold ?? '', j.slice.align ? 'ALIGN' : '', 'out', j.output.count, 'c', j.control, j.due ? 'due' : '')
    }
  }
})
