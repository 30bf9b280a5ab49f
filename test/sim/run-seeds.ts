import { Coverage } from './coverage.ts'
import { againWith, simulate } from './world.ts'

// Runs the seeds [from, to) in a process of its own and prints what took place as JSON: `tsx test/sim/run-seeds.ts 1 501`.
const [from = 1, to = 2] = process.argv.slice(2).map(Number)
const coverage = new Coverage()
const failures: string[] = []
for (let seed = from; seed < to; seed++) {
  try {
    const { trace, coverage: found } = await simulate(seed)
    coverage.add(found)
    if (seed % 20 === 0 && (await simulate(seed)).trace !== trace) failures.push(`L9 same seed, same trace\n${againWith(seed)}`)
  } catch (error) {
    failures.push((error as Error).message)
  }
}
process.stdout.write(JSON.stringify({ failures, counts: [...coverage.counts] }))
