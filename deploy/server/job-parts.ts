import { durationText } from '../../operators/duration.ts'
import type { Part } from '../../replay/deploy-plan.ts'
import type { InspectedJob, InspectedTopic } from './inspected-job.ts'

/** What a plan compares of a job: its sources, operators, stores and outputs. Pure. */
export function partsOf({ described, sources, outputs }: InspectedJob): Part[] {
  const parts: Part[] = sources.map(sourcePart)
  for (const { kind, name, type, detail, stores, inputs } of described.nodes) {
    if (kind === 'source' || kind === 'sink') continue
    parts.push({
      what: 'operator',
      name,
      text: `${type} ${detail} ${inputs.join(',')}`,
      detail: `${type}${detail === '' ? '' : `, ${detail}`}`,
    })
    for (const store of stores) parts.push({ what: 'store', name: store, text: type, detail: `of ${name}` })
  }
  for (const { name, kind, schema } of outputs)
    parts.push({ what: 'output', name, text: `${kind} ${JSON.stringify(schema)}`, detail: kind })
  return parts
}

function sourcePart({ name, kind, codec, schema, timeFrom, outOfOrdernessMs, idleAfterMs, maxFutureMs }: InspectedTopic): Part {
  const outOfOrder = outOfOrdernessMs === 0 ? '' : `, out of order by ${durationText(outOfOrdernessMs)}`
  const idle = idleAfterMs === undefined ? 'never idle' : `idle after ${durationText(idleAfterMs)}`
  const detail = `${kind}${outOfOrder}, ${idle}`
  return { what: 'source', name, text: JSON.stringify([codec, schema, timeFrom, maxFutureMs, detail]), detail }
}
