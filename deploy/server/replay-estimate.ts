/** What one version took since the server started, and for how long its thread was busy with that. */
export interface Pace {
  readonly version: number
  readonly records: number
  readonly busySeconds: number
}

/** What the version that publishes has taken in all, and what the outputs take on disk. */
export interface Output {
  readonly records: number
  readonly bytes: number
}

export interface ReplayEstimate {
  readonly seconds: number | undefined
  readonly recordsPerSecond: number | undefined
  /** The version that went so fast; undefined as well: the limit asked for is slower. */
  readonly shownBy: number | undefined
  /** Of its private outputs. */
  readonly diskBytes: number | undefined
}

/** Of fewer, most was the time to begin. */
const recordsMin = 1000

/**
 * What a replay of so many records takes: at the pace of the fastest version of the job while it was busy, since one that publishes mostly waits for
 * records, and takes few at a time; on disk as much per record as the outputs have. Undefined: too little was seen. Pure.
 * @param limit records a second it may take; null: no limit.
 */
export function replayEstimate(records: number, paces: readonly Pace[], output: Output | undefined, limit: number | null): ReplayEstimate {
  const [fastest] = paces
    .filter((pace) => pace.records >= recordsMin && pace.busySeconds > 0)
    .map(({ version, records, busySeconds }) => ({ version, perSecond: records / busySeconds }))
    .sort((a, b) => b.perSecond - a.perSecond)
  const limited = limit !== null && (fastest === undefined || limit < fastest.perSecond)
  const recordsPerSecond = limited ? limit : fastest?.perSecond
  return {
    seconds: recordsPerSecond === undefined ? undefined : records / recordsPerSecond,
    recordsPerSecond,
    shownBy: limited ? undefined : fastest?.version,
    diskBytes: output === undefined || output.records < recordsMin ? undefined : (output.bytes / output.records) * records,
  }
}
