import type { JournalRecord } from '../../../engine/model/slice.ts'
import type { LogView } from '../../../engine/ports/log.ts'
import type { JobPlan } from '../../../engine/runtime/plan.ts'
import { partitionName } from '../../../engine/runtime/steering.ts'
import type { ControlEvent, CutOver } from '../../../replay/control-event.ts'
import { applyEvent, type ControlState, markOf, nothingDecided, refusalOf } from '../../../replay/control-state.ts'
import type { Coverage } from '../../sim/coverage.ts'
import { LawBroken } from '../../sim/laws.ts'

/** What a commit of a producer carried, read at the moment it took effect. */
export interface Taken {
  readonly producer: string
  /** Topics it appended to. */
  readonly topics: readonly string[]
  readonly journal: { readonly task: number; readonly record: JournalRecord } | undefined
  readonly control: ControlEvent | undefined
}

interface VersionHistory {
  readonly plan: JobPlan
  readonly last: Map<number, JournalRecord>
  /** By source partition: next offset. */
  readonly positions: Map<string, number>
}

/**
 * Watches every commit of a job's versions and leaders at the moment it takes effect, and knows by then exactly what is decided.
 * L6: public output comes from the owner alone, all of it, and nobody runs ahead of it; a decision finds both versions standing still.
 * L7: versions share no name. L10: a hold ends in time.
 */
export class VersionMonitor {
  control: ControlState = nothingDecided
  /** All that was decided, oldest first. */
  readonly events: ControlEvent[] = []
  /** Cut-overs that count, oldest first. */
  readonly cuts: CutOver[] = []
  /** The first law that was broken where no caller could be told. */
  broken: LawBroken | undefined = undefined
  private readonly log: Pick<LogView, 'bounds'>
  private readonly coverage: Coverage
  private readonly versions = new Map<number, VersionHistory>()
  /** By name: the version it belongs to. */
  private readonly names = new Map<string, number>()
  private readonly publicTopics = new Set<string>()

  constructor(log: Pick<LogView, 'bounds'>, coverage: Coverage) {
    this.log = log
    this.coverage = coverage
  }

  /** @param outputs public topics of the version. */
  add(plan: JobPlan, outputs: readonly string[]): void {
    this.versions.set(plan.version, { plan, last: new Map(), positions: new Map() })
    for (const topic of [...outputs, plan.topics.late, plan.topics.deadLetters]) this.publicTopics.add(topic)
  }

  /** All of a version was removed. */
  forget(version: number): void {
    this.versions.get(version)?.last.clear()
    this.versions.get(version)?.positions.clear()
  }

  took(taken: Taken): void {
    try {
      const task = /\.v(\d+)\.task-(\d+)$/.exec(taken.producer)
      if (task !== null) this.tookSlice(Number(task[1]), taken)
      if (taken.control !== undefined) this.tookDecision(taken.control)
    } catch (error) {
      this.broken ??= error as LawBroken
    }
  }

  private tookSlice(version: number, { producer, topics, journal }: Taken): void {
    const history = this.versions.get(version)
    if (history === undefined || journal === undefined) throw new LawBroken('L7 no shared names', `${producer} is nobody's`)
    const { task, record } = journal
    this.checkNames(version, producer, topics, history.plan)
    this.checkPublisher(version, topics, record, history.plan)
    if (version !== this.control.owner) this.checkTrail(version, task, record, history)
    if (record.slice.align)
      this.coverage.count(isFurther(record, history.last.get(task)) ? 'aligned further in time' : 'aligned where it was')
    history.last.set(task, record)
    for (const { input, to } of record.slice.ranges) {
      const name = sourceOf(history.plan, task, input)
      if (name !== undefined) history.positions.set(name, to)
    }
  }

  /** L7. */
  private checkNames(version: number, producer: string, topics: readonly string[], plan: JobPlan): void {
    for (const name of [producer, ...topics, plan.topics.journal, plan.topics.retry]) {
      if (this.publicTopics.has(name)) continue
      const other = this.names.get(name) ?? version
      if (other !== version) throw new LawBroken('L7 no shared names', `v${version} writes ${name}, which is v${other}'s`)
      this.names.set(name, version)
    }
  }

  /** L6: at this offset of the control log one version publishes, all it gives and nobody else; but for what the former owner has given. */
  private checkPublisher(version: number, topics: readonly string[], { slice, control }: JournalRecord, plan: JobPlan): void {
    const written = topics.filter((topic) => topic !== plan.topics.journal && !plan.exchanges.some((exchange) => exchange.topic === topic))
    const publicly = written.filter((topic) => this.publicTopics.has(topic))
    const { owner, events } = this.control
    const where = `v${version} in slice ${slice.seq}, decided under ${control} of ${events}`
    if (slice.hold !== undefined && written.length > 0)
      throw new LawBroken('L6 one owner', `${where}: it stands still and writes ${written[0]}`)
    const publishes = owner === version && !slice.align
    if (!publishes && publicly.length > 0) throw new LawBroken('L6 one owner', `${where}: it writes ${publicly[0]}, v${owner} publishes`)
    if (publishes && publicly.length < written.length)
      throw new LawBroken('L6 one owner', `${where}: it publishes and gives something privately`)
  }

  /** L6: what is new in this slice the owner has committed before. */
  private checkTrail(version: number, task: number, record: JournalRecord, { plan, last }: VersionHistory): void {
    const owner = this.control.owner === undefined ? undefined : this.versions.get(this.control.owner)
    for (const { input, to } of record.slice.ranges) {
      const name = sourceOf(plan, task, input)
      const reached = name === undefined ? to : (owner?.positions.get(name) ?? 0)
      if (to > reached) throw new LawBroken('L6 nobody ahead', `v${version} took ${name} up to ${to}, the owner stands at ${reached}`)
    }
    const watermark = timeOf(record)
    // A new owner has come to the time of its cut-over when that is decided, whether or not its tasks have aligned yet.
    const cutAt = this.cuts.at(-1)?.watermark ?? Number.NEGATIVE_INFINITY
    const reached = Math.max(cutAt, owner === undefined ? Number.NEGATIVE_INFINITY : watermarkOf(owner))
    if (isFurther(record, last.get(task)) && watermark > reached)
      throw new LawBroken('L6 nobody ahead', `v${version} came to the watermark ${watermark}, the owner to ${reached}`)
  }

  private tookDecision(event: ControlEvent): void {
    const before = this.control
    this.control = applyEvent(before, event)
    this.events.push(event)
    const { hold } = before
    if (event.type === 'holdLevelled') this.coverage.count('owner levelled')
    if ((event.type === 'cutOver' || event.type === 'holdAborted') && hold?.id !== event.id)
      throw new LawBroken('L6 one owner', `${event.type} of ${event.id}, while ${hold?.id ?? 'no hold'} is open`)
    const refusal = refusalOf(before, event)
    if (refusal !== undefined) throw new LawBroken('L6 one owner', `${event.type} was written: ${refusal}`)
    if (event.type === 'cutOver') this.checkCutOver(event, markOf(hold!))
  }

  /** L6: what the record says is so, in both versions, at this very moment. */
  private checkCutOver(cut: CutOver, mark: string): void {
    for (const version of [cut.from, cut.to]) {
      const { plan, last, positions } = this.versions.get(version)!
      for (const { id } of plan.tasks) {
        if (last.get(id)?.slice.hold !== mark)
          throw new LawBroken('L6 one owner', `${cut.id}: task ${id} of v${version} does not stand still for it`)
      }
      for (const [name, position] of positions) {
        if (cut.positions[name] !== position)
          throw new LawBroken(
            'L6 one owner',
            `${cut.id}: v${version} stands at ${name} ${position}, the record says ${cut.positions[name]}`,
          )
      }
    }
    for (const [name, end] of Object.entries(cut.ends)) {
      const [topic, partition] = name.split('/')
      const found = this.log.bounds(topic!, Number(partition)).end
      if (found !== end) throw new LawBroken('L6 one owner', `${cut.id}: ${name} ends at ${found}, the record says ${end}`)
    }
    this.cuts.push(cut)
  }

  /** Next offset a version takes of a source partition. */
  position(version: number, name: string): number {
    return this.versions.get(version)?.positions.get(name) ?? 0
  }

  /** Whether a version has committed everything up to the end of its sources. */
  caughtUp(version: number): boolean {
    const { plan, positions } = this.versions.get(version)!
    const names = plan.tasks.flatMap(({ id, inputs }) => inputs.map((_, input) => sourceOf(plan, id, input)))
    return names.every((name) => {
      if (name === undefined) return true
      const [topic, partition] = name.split('/')
      return (positions.get(name) ?? 0) >= this.log.bounds(topic!, Number(partition)).end
    })
  }

  standing(): string {
    return [...this.versions]
      .map(([version, { positions, last }]) => {
        const slices = [...last].map(
          ([task, { slice, watermark, due, control }]) => `task ${task} ${JSON.stringify({ slice, watermark, due, control })}`,
        )
        return `v${version}: ${[...positions].map(([name, position]) => `${name} ${position}`).join(', ')}; ${slices.join('; ')}`
      })
      .join('\n  ')
  }
}

/**
 * L10: from asking for a hold to the decision that ends it no more time goes by than the bound allows.
 * @param events of the whole control log. @param boundMs of a hold, by its id. @param exempt whether this decision was another leader's: the one
 * that asked was gone. @returns how many holds kept it.
 */
export function checkHolds(
  events: readonly ControlEvent[],
  boundMs: ReadonlyMap<string, number>,
  exempt: (event: ControlEvent) => boolean,
): number {
  let open: { readonly id: string; readonly at: number } | undefined
  let kept = 0
  for (const event of events) {
    if (event.type === 'holdRequested') open ??= event
    if ((event.type !== 'cutOver' && event.type !== 'holdAborted') || open?.id !== event.id) continue
    const bound = boundMs.get(event.id)
    const lasted = event.at - open.at
    if (!exempt(event) && (bound === undefined || lasted > bound))
      throw new LawBroken('L10 the hold has a bound', `${event.id} was open for ${lasted} ms, at most ${bound} are allowed`)
    if (!exempt(event)) kept++
    open = undefined
  }
  if (open !== undefined) throw new LawBroken('L10 the hold has a bound', `${open.id} is open for ever`)
  return kept
}

function sourceOf(plan: JobPlan, task: number, input: number): string | undefined {
  const { kind, topic, partition } = plan.tasks[task]!.inputs[input]!
  return kind === 'source' ? partitionName(topic, partition) : undefined
}

/** Up to which a version has given all results by event time: the lowest of its tasks that keep state, else of all. */
function watermarkOf({ plan, last }: VersionHistory): number {
  const timed = plan.tasks.filter(({ stage }) => stage.nodes.some((node) => node.kind === 'operator' && node.stores.length > 0))
  const deciding = timed.length > 0 ? timed : plan.tasks
  return Math.min(
    ...deciding.map(({ id }) => {
      const record = last.get(id)
      return record === undefined ? Number.NEGATIVE_INFINITY : timeOf(record)
    }),
  )
}

function isFurther(record: JournalRecord, before: JournalRecord | undefined): boolean {
  return timeOf(record) > (before === undefined ? Number.NEGATIVE_INFINITY : timeOf(before))
}

function timeOf({ watermark }: JournalRecord): number {
  if (watermark === null) return Number.NEGATIVE_INFINITY
  return watermark === 'Infinity' ? Number.POSITIVE_INFINITY : watermark
}
