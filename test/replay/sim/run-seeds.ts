import { Coverage } from '../../sim/coverage.ts'
import { againWith, takeTurns } from './world.ts'

// Runs the seeds [from, to) in a process of its own and prints what took place as JSON: `tsx test/replay/sim/run-seeds.ts 1 501`.
const [from = 1, to = 2] = process.argv.slice(2).map(Number)
const coverage = new Coverage()
const failures: string[] = []
for (let seed = from; seed < to; seed++) {
  try {
    const { trace, coverage: found } = await takeTurns(seed)
    coverage.add(found)
    if (seed % 20 === 0 && (await takeTurns(seed)).trace !== trace) failures.push(`${againWith(seed)}\nL9 same seed, same trace`)
  } catch (error) {
    failures.push(`${againWith(seed)}\n${String((error as Error).cause)}\n${(error as Error).message}`)
  }
}
process.stdout.write(JSON.stringify({ failures, counts: [...coverage.counts] }))
// Lives that are dead wait for ever.
process.exitCode = 0
