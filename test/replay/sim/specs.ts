import { z } from 'zod'
import type { Topology } from '../../../engine/model/topology.ts'
import { count, defineJob, output, session, sliding, sum, topic, tumbling } from '../../../index.ts'
import type { Random } from '../../support/random.ts'

/** How one version cuts time. */
export interface Spec {
  readonly kind: 'tumbling' | 'sliding' | 'allowed lateness' | 'session' | 'processing time' | 'process' | 'stateless'
  readonly sizeMs: number
  readonly slideMs: number
  readonly allowedLatenessMs: number
  readonly outOfOrdernessMs: number
}

const kinds = ['tumbling', 'sliding', 'allowed lateness', 'session', 'processing time', 'process', 'stateless'] as const

/** Versions of one kind: some alike, some not, some with other windows only. */
export function drawSpecs(random: Random, versions: number): Spec[] {
  const kind = kinds[random.int(kinds.length)]!
  const first = drawSpec(random, kind)
  const specs = [first]
  while (specs.length < versions) {
    const alike = random.chance(0.2)
    specs.push(alike ? specs[random.int(specs.length)]! : orderedAs(first, drawSpec(random, kind)))
  }
  return specs
}

/** Half of them may be out of order by as much as the first. */
function orderedAs({ outOfOrdernessMs }: Spec, spec: Spec): Spec {
  return spec.outOfOrdernessMs % 2 === 0 ? { ...spec, outOfOrdernessMs } : spec
}

function drawSpec(random: Random, kind: Spec['kind']): Spec {
  const outOfOrdernessMs = random.chance(0.3) ? 0 : random.int(3000)
  const slideMs = kind === 'processing time' ? 10 * (1 + random.int(30)) : 500 * (1 + random.int(8))
  const sizeMs = kind === 'sliding' ? slideMs * (1 + random.int(4)) : slideMs
  const allowedLatenessMs = kind === 'allowed lateness' ? 500 * random.int(10) : 0
  return { kind, sizeMs, slideMs: kind === 'sliding' ? slideMs : sizeMs, allowedLatenessMs, outOfOrdernessMs }
}

const value = z.object({ id: z.number(), key: z.string(), time: z.number(), amount: z.number() })
const windowRow = z.object({ by: z.number(), key: z.string(), start: z.number(), end: z.number(), n: z.number(), total: z.number() })
const eventRow = z.object({ by: z.number(), key: z.string(), id: z.number(), at: z.number() })

/** A version that cuts time so; each row says by which version it was given. */
export function topologyOf(spec: Spec, by: number): Topology {
  const { kind, sizeMs, slideMs, allowedLatenessMs, outOfOrdernessMs } = spec
  const source = topic('in', { value, eventTime: (record) => record.time, outOfOrderness: outOfOrdernessMs })
  const rows = topic('rows', { value: windowRow })
  const lastRows = topic('rows', { value: windowRow, kind: 'table', key: ({ key, start, end }) => `${key}@${start}-${end}` })
  const events = topic('rows', { value: eventRow })
  return defineJob('turns', (job) => {
    const read = job.from(source)
    if (kind === 'stateless') {
      read.map(({ id, key, time }) => ({ by, key, id, at: time })).to(events)
      return
    }
    const keyed = read.keyBy('by-key', (record) => record.key)
    if (kind === 'process') {
      keyed
        .process('tell', {
          output: output<z.infer<typeof eventRow>>(),
          onRecord({ key, time, emit, setTimer }, { id }) {
            emit({ by, key, id, at: time })
            setTimer(time + sizeMs)
          },
          onTimer({ key, emit }, { at }) {
            emit({ by, key, id: -1, at })
          },
        })
        .to(events)
      return
    }
    const allowedLateness = allowedLatenessMs
    const window =
      kind === 'session'
        ? session(sizeMs)
        : kind === 'processing time'
          ? tumbling(sizeMs, { time: 'processing' })
          : kind === 'sliding'
            ? sliding(sizeMs, slideMs)
            : tumbling(sizeMs, { allowedLateness })
    keyed
      .window('window', window)
      .aggregate({ n: count(), total: sum((record) => record.amount) })
      .map(({ n, total }, { key, start, end }) => ({ by, key, start, end, n, total }))
      .to(kind === 'allowed lateness' ? lastRows : rows)
  })
}
