/**
 * What windows must give, from the list of records alone: every rule is asked for every record and every window it could be in. Shares no code with
 * the operators. A record carries all that its fate may depend on: its stamp, and the time up to which everything had fired when it came.
 */
export interface JudgedRecord {
  readonly id: number
  readonly key: string | number
  readonly time: number
  readonly value: number
  readonly stamp: number
  /** The task's watermark after the slice before; matters only where partitions were idle. */
  readonly fired: number
}

export interface ExpectedWindow {
  readonly key: string | number
  readonly start: number
  readonly end: number
  readonly ids: readonly number[]
}

export interface Expected {
  readonly windows: readonly ExpectedWindow[]
  readonly late: readonly { readonly id: number; readonly reason: 'late' | 'idle' }[]
}

export interface FixedWindows {
  readonly size: number
  readonly slide: number
  readonly lateness: number
}

export function expectFixed(records: readonly JudgedRecord[], { size, slide, lateness }: FixedWindows): Expected {
  const windows = new Map<string, { key: string | number; start: number; end: number; ids: number[] }>()
  const late: Expected['late'][number][] = []
  for (const record of records) {
    const starts: number[] = []
    for (let k = Math.floor(record.time / slide) - Math.ceil(size / slide) - 1; k * slide <= record.time; k++) {
      if (record.time < k * slide + size) starts.push(k * slide)
    }
    const allowed = starts.filter((start) => start + size + lateness > record.stamp)
    const open = allowed.filter((start) => {
      const end = start + size
      return lateness === 0 ? end > record.fired : end + lateness >= record.fired
    })
    if (allowed.length === 0) late.push({ id: record.id, reason: 'late' })
    else if (open.length < allowed.length) late.push({ id: record.id, reason: 'idle' })
    for (const start of open) {
      const name = `${typeof record.key}${record.key}@${start}`
      const window = windows.get(name)
      if (window === undefined) windows.set(name, { key: record.key, start, end: start + size, ids: [record.id] })
      else window.ids.push(record.id)
    }
  }
  return { windows: [...windows.values()], late }
}

export function expectSessions(records: readonly JudgedRecord[], { gap, lateness }: { gap: number; lateness: number }): Expected {
  const late: Expected['late'][number][] = []
  const taken = records.filter(({ id, time, stamp, fired }) => {
    if (time + lateness < stamp) late.push({ id, reason: 'late' })
    else if (time + lateness < fired) late.push({ id, reason: 'idle' })
    else return true
    return false
  })
  // Records are of one session if a chain of records leads from one to the other with steps below the gap.
  let sessions: JudgedRecord[][] = taken.map((record) => [record])
  for (let joined = true; joined; ) {
    joined = false
    for (let i = 0; i < sessions.length && !joined; i++) {
      for (let j = i + 1; j < sessions.length && !joined; j++) {
        const near = sessions[i]!.some((a) => sessions[j]!.some((b) => a.key === b.key && Math.abs(a.time - b.time) < gap))
        if (!near) continue
        const whole = [...sessions[i]!, ...sessions[j]!]
        sessions = [...sessions.filter((_, index) => index !== i && index !== j), whole]
        joined = true
      }
    }
  }
  const windows = sessions.map((session) => {
    const times = session.map(({ time }) => time)
    return { key: session[0]!.key, start: Math.min(...times), end: Math.max(...times) + gap, ids: session.map(({ id }) => id) }
  })
  return { windows, late }
}

/** The sum of multiples of 2^-40, by whole numbers. */
export function wholeSum(values: readonly number[]): number {
  const units = values.reduce((sum, value) => sum + BigInt(value * 2 ** 40), 0n)
  return Number(units) / 2 ** 40
}
