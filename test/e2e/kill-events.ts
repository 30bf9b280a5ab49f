import { canonical, judge, sessionWindows, slidingWindows } from '../../examples/reference.ts'
import { Random } from '../support/random.ts'

export interface KillEvent {
  readonly key: string
  readonly at: number
  readonly value: number
}

export const partitions = 2

/** Events up to 2 s out of order and a few later than that; as NDJSON, with some lines no event at all. */
export function makeEvents(
  seed: number,
  { keys, records, everyMs }: { keys: number; records: number; everyMs: number },
): { events: KillEvent[]; ndjson: string; bad: number } {
  const random = new Random(seed)
  const events: KillEvent[] = []
  const lines: string[] = []
  let bad = 0
  for (let i = 0; i < records; i++) {
    const at = 1_700_000_000_000 + i * everyMs - random.int(random.chance(0.03) ? 15_000 : 1_900)
    const event = { key: `k${random.int(keys)}`, at, value: random.int(1000) / 10 }
    if (random.chance(0.01)) {
      bad++
      lines.push(JSON.stringify({ ...event, value: 'none' }))
      continue
    }
    events.push(event)
    lines.push(JSON.stringify(event))
  }
  return { events, ndjson: `${lines.join('\n')}\n`, bad }
}

/** What the topics of jobs/kill.ts must hold in the end. @param byPartition the events of each partition, in offset order. */
export function expectedOf(byPartition: readonly (readonly KillEvent[])[]): Record<'totals' | 'moving' | 'visits', string[]> {
  const judged = judge(byPartition, (event) => event.at, 2000)
  const key = (event: KillEvent) => event.key
  const counting = { key, begin: () => 0, add: (count: number) => count + 1 }
  const gathering = { key, begin: (): number[] => [], add: (values: number[], event: KillEvent) => [...values, event.value] }
  return {
    totals: canonical(
      slidingWindows(judged, { sizeMs: 10_000, slideMs: 10_000 }, gathering).windows.map(({ key, start, result }) => ({
        key,
        start,
        count: result.length,
        mean: exactMean(result),
        highest: Math.max(...result),
      })),
    ),
    moving: canonical(
      slidingWindows(judged, { sizeMs: 10_000, slideMs: 2_000 }, counting).windows.map(({ key, start, result }) => ({
        key,
        start,
        count: result,
      })),
    ),
    visits: canonical(
      sessionWindows(judged, { gapMs: 3_000 }, counting).windows.map(({ key, start, end, result }) => ({ key, start, end, count: result })),
    ),
  }
}

/** Of numbers as they are in binary: summed as integers of 2^-60, rounded once. */
function exactMean(values: readonly number[]): number {
  const scale = 2n ** 60n
  let sum = 0n
  for (const value of values) sum += BigInt(Math.round(value * 2 ** 40)) * (scale >> 40n) + remainder(value)
  return Number(sum) / 2 ** 60 / values.length
}

function remainder(value: number): bigint {
  const coarse = Math.round(value * 2 ** 40)
  return BigInt(Math.round((value - coarse / 2 ** 40) * 2 ** 60))
}
