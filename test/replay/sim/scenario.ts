import type { Topology, TopologyNode } from '../../../engine/model/topology.ts'
import type { RuntimeSettings } from '../../../engine/runtime/settings.ts'
import { controlProbePoints } from '../../../replay/probe-points.ts'
import { drawJob, type SimInput, type SimJob } from '../../sim/jobs.ts'
import { type Burst, drawBursts, drawInput, drawSettings } from '../../sim/scenario.ts'
import { type FaultRates, noFaults } from '../../support/faulty-log.ts'
import { Random } from '../../support/random.ts'
import type { LinkFaults } from './links.ts'
import { drawSpecs, type Spec, topologyOf } from './specs.ts'

/** What becomes of something while it runs. */
export type Act =
  /** A life of a version ends, or is followed by another while it goes on with what it holds. */
  | { readonly do: 'kill, commits lost' | 'kill, commits arrive' | 'zombie'; readonly version: number }
  /** The same of whoever leads. */
  | { readonly do: 'leader killed' | 'second leader' }
  | { readonly do: 'deploy'; readonly version: number; readonly parallelism: number }
  | { readonly do: 'promote'; readonly version: number; readonly back: boolean }
  | { readonly do: 'giveUp' | 'resume'; readonly version: number }

export interface TurnsScenario {
  readonly seed: number
  readonly kind: string
  /** By version, the first at 0. */
  readonly topologies: readonly Topology[]
  /** With equal logic: what comes of the input. */
  readonly job: SimJob | undefined
  /** With logic that cuts time differently: by version. */
  readonly specs: readonly Spec[]
  /** Versions that stop at a record. */
  readonly failing: ReadonlySet<number>
  readonly sources: readonly string[]
  readonly input: SimInput
  readonly partitions: Readonly<Record<string, number>>
  readonly parallelism: number
  readonly bursts: readonly Burst[]
  /** Each after so many steps of the world. */
  readonly acts: readonly { readonly after: number; readonly act: Act }[]
  /** Steps of a leader at which it ends, or another begins while it goes on. */
  readonly points: readonly { readonly name: string; readonly nth: number; readonly zombie: boolean }[]
  readonly settings: RuntimeSettings
  readonly faults: FaultRates
  readonly links: LinkFaults
  /** How often a life begins with what was decided long ago. */
  readonly staleRate: number
  readonly holdMs: number
  readonly memoryBytesMax: number
  /** Of the input; undefined: it stays for ever. */
  readonly retentionMs: number | undefined
}

const versions = 3
/** The version that is deployed in the end where no other is left that can go on. */
export const rescue = versions + 1
const recordsOfPartition = 15

/** Everything about a world that is decided before it begins; all of it follows from the seed. */
export function drawTurns(seed: number): TurnsScenario {
  const random = new Random(seed ^ 0x3c6ef372)
  const outOfOrdernessMs = random.chance(0.3) ? 0 : random.int(2000)
  const idleAfterMs = random.chance(0.3) ? 5 + random.int(200) : undefined
  const equal = random.chance(0.6)
  const job = equal ? drawJob({ random, outOfOrdernessMs, idleAfterMs }) : undefined
  const specs = equal ? [] : drawSpecs(random, rescue)
  const kind = job?.kind ?? specs[0]!.kind
  const sources = job?.sources ?? ['in']
  const partitions = Object.fromEntries(sources.map((name) => [name, 1 + random.int(3)]))
  const input = shortened(drawInput(random, { kind: job?.kind ?? '', outOfOrdernessMs }, partitions))
  const ids = Object.values(input)
    .flat(2)
    .map(({ id }) => id)
  const poison = random.chance(0.25) && ids.length > 0 ? ids[random.int(ids.length)]! : undefined
  const failing = new Set(poison === undefined ? [] : random.chance(0.7) ? [1] : [2])
  const topologies = Array.from({ length: rescue }, (_, i) => {
    const topology = job?.topology ?? topologyOf(specs[i]!, i + 1)
    return poison !== undefined && failing.has(i + 1) ? failingAt(topology, poison) : topology
  })
  // Which parts of a session were given early depends on how exchanges interleave: what the former owner gave, the next does not take back.
  const alone = kind === 'session, early'
  const parallelism = alone ? 1 : 1 + random.int(3)
  const faulty = random.chance(0.4)
  // Of their own: worlds without it stay what they were.
  const more = new Random(seed ^ 0x6a09e667)
  const retentionMs = more.chance(0.4) ? more.int(60) : undefined
  const rate = (most: number) => (random.chance(0.6) ? random.next() * most : 0)
  const lossy = random.chance(0.6)
  return {
    seed,
    kind: equal ? kind : `${kind}, specs differ`,
    topologies,
    job,
    specs,
    failing,
    sources,
    input,
    partitions,
    parallelism,
    bursts: drawBursts(random, input),
    acts: drawActs(random, () => (alone ? 1 : random.chance(0.75) ? parallelism : 1 + random.int(3))).filter(
      // Nobody could take the place of the last that can go on: its input is gone.
      ({ act }) => retentionMs === undefined || act.do !== 'giveUp' || failing.has(act.version),
    ),
    points: drawPoints(random),
    settings: { ...drawSettings(random), strict: true },
    faults: faulty
      ? { commitRefused: rate(0.05), answerLost: rate(0.05), commitLost: rate(0.05), openFailed: rate(0.1), readFailed: rate(0.01) }
      : noFaults,
    links: lossy ? { lost: rate(0.25), twice: rate(0.3), late: rate(0.3) } : { lost: 0, twice: 0, late: 0 },
    staleRate: random.chance(0.5) ? random.next() : 0,
    holdMs: 200 + random.int(600),
    memoryBytesMax: random.chance(0.1) ? 4096 : 256 << 20,
    retentionMs,
  }
}

function shortened(input: SimInput): SimInput {
  return Object.fromEntries(
    Object.entries(input).map(([topic, partitions]) => [topic, partitions.map((records) => records.slice(0, recordsOfPartition))]),
  )
}

function drawActs(random: Random, tasks: () => number): TurnsScenario['acts'] {
  const acts: { after: number; act: Act }[] = []
  const steps = () => (random.chance(0.3) ? random.int(20) : random.int(100))
  let deployed = 1
  const any = () => 1 + random.int(deployed)
  const violent = random.chance(0.8)
  for (let n = 6 + random.int(10); n > 0; n--) {
    const draw = random.next()
    if (deployed < versions && random.chance(0.5)) {
      acts.push({ after: steps(), act: { do: 'deploy', version: ++deployed, parallelism: tasks() } })
    } else if (draw < 0.55) {
      acts.push({ after: steps(), act: { do: 'promote', version: any(), back: random.chance(0.25) } })
    } else if (violent && draw < 0.75) {
      const ways = ['kill, commits lost', 'kill, commits arrive', 'zombie'] as const
      acts.push({ after: steps(), act: { do: ways[random.int(3)]!, version: any() } })
    } else if (violent && draw < 0.86) {
      acts.push({ after: steps(), act: { do: random.chance(0.5) ? 'leader killed' : 'second leader' } })
    } else if (draw < 0.93 && deployed === versions) {
      acts.push({ after: steps(), act: { do: 'giveUp', version: any() } })
    } else {
      acts.push({ after: steps(), act: { do: 'resume', version: any() } })
    }
  }
  return acts
}

/** Steps of a leader, but for what the server alone does: there are no bundles here. */
export const leaderPoints = controlProbePoints.filter((name) => name !== 'deploy.bundle-stored')

function drawPoints(random: Random): TurnsScenario['points'] {
  if (random.chance(0.4)) return []
  return leaderPoints
    .filter(() => random.chance(0.35))
    .map((name) => ({ name, nth: name.startsWith('cut-over.h') ? 1 + random.int(3) : 1, zombie: random.chance(0.5) }))
}

/** The same job, but for a record at which it can't go on. */
function failingAt(topology: Topology, id: number): Topology {
  const refuse = (value: unknown) => {
    if ((value as { id?: number }).id === id) throw new Error(`record ${id} is more than this version can take`)
  }
  const sources = topology.nodes.filter(({ kind }) => kind === 'source').map((source) => source.id)
  const nodes = topology.nodes.map((node): TopologyNode => {
    if (node.kind === 'keyBy' && sources.includes(node.input)) {
      return {
        ...node,
        onBad: 'fail',
        key(value, record) {
          refuse(value)
          return node.key(value, record)
        },
      }
    }
    if (node.kind !== 'operator' || !node.inputs.some((input) => sources.includes(input))) return node
    return {
      ...node,
      make(context) {
        const operator = node.make(context)
        const process = operator.process.bind(operator)
        operator.process = (value, input) => {
          refuse(value)
          process(value, input)
        }
        return operator
      },
    }
  })
  return { ...topology, nodes }
}
