/**
 * The sequential rule of a cut-over by brute force, straight from lists of records: everything the former owner gave up to one recorded point is
 * public, and from then on everything the next one gives. It shares no code with the engine.
 */

export interface OracleSpec {
  readonly kind: 'tumbling' | 'sliding' | 'allowed lateness' | 'session' | 'processing time' | 'process' | 'stateless'
  readonly sizeMs: number
  readonly slideMs: number
  readonly allowedLatenessMs: number
  readonly outOfOrdernessMs: number
}

export interface OracleRecord {
  readonly id: number
  readonly key: string
  readonly time: number
  readonly amount: number
}

/** A decision: from here on `to` publishes. */
export interface OracleCut {
  readonly to: number
  /** Next offset by partition. */
  readonly offsets: readonly number[]
  /** What was due by these times had been published. */
  readonly watermark: number
  readonly processing: number
}

export interface OracleInput {
  /** By version, the first at 0. */
  readonly specs: readonly OracleSpec[]
  /** By partition, in offset order. */
  readonly partitions: readonly (readonly OracleRecord[])[]
  readonly appendTimes: ReadonlyMap<number, number>
  /** Oldest first; version 1 publishes before. */
  readonly cuts: readonly OracleCut[]
}

/** From one decision to the next: a version, what it took, and the times it passed. */
interface Stretch {
  readonly version: number
  readonly takes: (record: Judged) => boolean
  readonly before: (record: Judged) => boolean
  readonly passes: (time: number) => boolean
  readonly passed: (time: number) => boolean
  /** Of records and of process timers: a record waits until time is beyond its own. */
  readonly releases: (time: number) => boolean
  readonly passesClock: (time: number) => boolean
}

interface Judged extends OracleRecord {
  readonly partition: number
  readonly offset: number
  readonly stamp: number
  /** The time this version had been brought to when it took over, last before this record: what was closed by then takes no more. */
  readonly forced: number
}

export interface PublicOutput {
  readonly rows: readonly object[]
  /** Ids. */
  readonly late: readonly number[]
}

/** What readers have in the end: every row of a stream, the last one of each window where late records give it anew. */
export function publicOutput(input: OracleInput): PublicOutput {
  const rows: object[] = []
  const late: number[] = []
  const last = new Map<string, object>()
  for (const stretch of stretchesOf(input)) {
    const spec = input.specs[stretch.version - 1]!
    const records = judgedBy(stretch.version, spec, input)
    late.push(...records.filter((record) => stretch.takes(record) && isLate(spec, record)).map(({ id }) => id))
    // Which windows a record comes too late for is asked window by window.
    const byRecord = spec.kind === 'session' || spec.kind === 'process'
    const inTime = records.filter((record) => !byRecord || !isLate(spec, record))
    const by = stretch.version
    if (spec.kind === 'stateless') rows.push(...records.filter(stretch.takes).map(({ id, key, time }) => ({ by, key, id, at: time })))
    else if (spec.kind === 'process') rows.push(...handled(by, spec, inTime, stretch))
    else if (spec.kind === 'processing time') {
      const clocked = records.map((record) => ({ ...record, time: input.appendTimes.get(record.id)! }))
      rows.push(
        ...windowsOf(spec, clocked, () => true)
          .filter(({ end }) => stretch.passesClock(end))
          .map(rowOf(by)),
      )
    } else if (spec.kind === 'session')
      rows.push(
        ...sessionsOf(spec, inTime)
          .filter(({ end }) => stretch.passes(end))
          .map(rowOf(by)),
      )
    else if (spec.kind !== 'allowed lateness')
      rows.push(
        ...windowsOf(spec, inTime, counts(spec))
          .filter(({ end }) => stretch.passes(end))
          .map(rowOf(by)),
      )
    else {
      // What it has taken by the end of the stretch; given when time passed the window, and again for each late record.
      const taken = inTime.filter((record) => stretch.before(record) || stretch.takes(record))
      for (const window of windowsOf(spec, taken, counts(spec))) {
        const renewed = stretch.passed(window.end) && window.records.some(stretch.takes)
        if (stretch.passes(window.end) || renewed) last.set(`${window.key}@${window.start}-${window.end}`, rowOf(by)(window))
      }
    }
  }
  return { rows: [...rows, ...last.values()], late }
}

function stretchesOf({ cuts, partitions }: OracleInput): Stretch[] {
  const beginning: OracleCut = {
    to: 1,
    offsets: partitions.map(() => 0),
    watermark: Number.NEGATIVE_INFINITY,
    processing: Number.NEGATIVE_INFINITY,
  }
  const all = [beginning, ...cuts]
  return all.map((from, i) => {
    const next = all[i + 1]
    const beyond = (record: Judged) => next !== undefined && record.offset >= next.offsets[record.partition]!
    const upTo = next?.watermark ?? Number.POSITIVE_INFINITY
    return {
      version: from.to,
      before: (record) => record.offset < from.offsets[record.partition]!,
      takes: (record) => record.offset >= from.offsets[record.partition]! && !beyond(record),
      passes: (time) => time > from.watermark && time <= upTo,
      passed: (time) => time <= from.watermark,
      releases: (time) => time >= from.watermark && time < upTo,
      passesClock: (time) => time > from.processing && time <= (next?.processing ?? Number.POSITIVE_INFINITY),
    }
  })
}

/** Each record with what this version judges it by: the watermark of its own partition, and the time from which the version published. */
function judgedBy(version: number, { outOfOrdernessMs }: OracleSpec, { partitions, cuts }: OracleInput): Judged[] {
  const own = cuts.filter(({ to }) => to === version)
  return partitions.flatMap((records, partition) => {
    let highest = Number.NEGATIVE_INFINITY
    return records.map((record, offset) => {
      const aligned = own.filter(({ offsets }) => offset >= offsets[partition]!).map(({ watermark }) => watermark)
      const stamp = highest - outOfOrdernessMs
      highest = Math.max(highest, record.time)
      return { ...record, partition, offset, stamp, forced: Math.max(Number.NEGATIVE_INFINITY, ...aligned) }
    })
  })
}

/** Also where it counts in some windows, but not in all that its own partition allows: readers are told what those lack. */
function isLate(spec: OracleSpec, record: Judged): boolean {
  if (spec.kind === 'session' || spec.kind === 'process') return record.time < Math.max(record.stamp, record.forced)
  if (spec.kind === 'stateless' || spec.kind === 'processing time') return false
  const allowed = endsOf(spec, record.time).filter((end) => allows(spec, record, end))
  return allowed.length === 0 || !allowed.every((end) => isOpen(spec, record, end))
}

const counts =
  (spec: OracleSpec) =>
  (record: Judged, end: number): boolean =>
    allows(spec, record, end) && isOpen(spec, record, end)

/** A record counts in a window unless its partition had passed that. */
function allows({ allowedLatenessMs }: OracleSpec, { stamp }: Judged, end: number): boolean {
  return end + allowedLatenessMs > stamp
}

/** Nor does it count where the switch had closed the window: at its end, or once it takes no late records any more. */
function isOpen({ allowedLatenessMs }: OracleSpec, { forced }: Judged, end: number): boolean {
  return allowedLatenessMs === 0 ? end > forced : end + allowedLatenessMs >= forced
}

function endsOf({ sizeMs, slideMs }: OracleSpec, time: number): number[] {
  const ends: number[] = []
  for (let start = Math.floor(time / slideMs) * slideMs; start > time - sizeMs; start -= slideMs) ends.push(start + sizeMs)
  return ends
}

interface Window {
  readonly key: string
  readonly start: number
  readonly end: number
  readonly records: readonly Judged[]
}

function windowsOf(spec: OracleSpec, records: readonly Judged[], counted: (record: Judged, end: number) => boolean): Window[] {
  const windows = new Map<string, { key: string; start: number; end: number; records: Judged[] }>()
  for (const record of records) {
    for (const end of endsOf(spec, record.time)) {
      if (!counted(record, end)) continue
      const name = `${record.key}@${end}`
      const window = windows.get(name) ?? { key: record.key, start: end - spec.sizeMs, end, records: [] }
      windows.set(name, window)
      window.records.push(record)
    }
  }
  return [...windows.values()]
}

function sessionsOf({ sizeMs: gapMs }: OracleSpec, records: readonly Judged[]): Window[] {
  const windows: Window[] = []
  for (const key of new Set(records.map((record) => record.key))) {
    const own = records.filter((record) => record.key === key).sort((a, b) => a.time - b.time)
    let from = 0
    own.forEach(({ time }, i) => {
      const next = own[i + 1]
      if (next !== undefined && next.time < time + gapMs) return
      windows.push({ key, start: own[from]!.time, end: time + gapMs, records: own.slice(from, i + 1) })
      from = i + 1
    })
  }
  return windows
}

const rowOf =
  (by: number) =>
  ({ key, start, end, records }: Window): object => ({
    by,
    key,
    start,
    end,
    n: records.length,
    total: records.reduce((sum, { amount }) => sum + amount, 0),
  })

/** A `process` that tells of each record in the order of their times, and once more when a timer has come. */
function handled(by: number, { sizeMs }: OracleSpec, records: readonly Judged[], { releases, passes }: Stretch): object[] {
  const told = records.filter(({ time }) => releases(time)).map(({ id, key, time }) => ({ by, key, id, at: time }))
  const timers = new Map(records.map(({ key, time }) => [`${key}@${time}`, { by, key, id: -1, at: time + sizeMs }]))
  return [...told, ...[...timers.values()].filter(({ at }) => passes(at))]
}
