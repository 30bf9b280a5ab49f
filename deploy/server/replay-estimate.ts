/** What one version took since the server started. */
export interface Pace {
  readonly version: number
  /** While enough waited for it. */
  readonly behind: Taken
  /** In all, and how long its operators needed for that: without reading, committing, and its turn on the cores. */
  readonly busy: Taken
}

export interface Taken {
  readonly records: number
  readonly seconds: number
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
  /** It takes longer: only what operators needed is known. */
  readonly atLeast: boolean
  /** Of its private outputs. */
  readonly diskBytes: number | undefined
}

/** Of fewer, most was the time to begin. */
const recordsMin = 1000

/**
 * What a replay of so many records takes: at the pace of the newest version of the job while enough waited for it, not at that of what comes in; on
 * disk as much per record as the outputs have. Undefined: too little was seen. Pure.
 * @param limit records a second it may take; null: no limit.
 */
export function replayEstimate(records: number, paces: readonly Pace[], output: Output | undefined, limit: number | null): ReplayEstimate {
  const [replayed] = ratesOf(paces.map(({ version, behind }) => ({ version, ...behind }))).sort((a, b) => b.version - a.version)
  const [busy] = ratesOf(paces.map(({ version, busy }) => ({ version, ...busy }))).sort((a, b) => b.perSecond - a.perSecond)
  const shown = replayed ?? busy
  const limited = limit !== null && (shown === undefined || limit < shown.perSecond)
  const recordsPerSecond = limited ? limit : shown?.perSecond
  return {
    seconds: recordsPerSecond === undefined ? undefined : records / recordsPerSecond,
    recordsPerSecond,
    shownBy: limited ? undefined : shown?.version,
    atLeast: !limited && shown !== undefined && replayed === undefined,
    diskBytes: output === undefined || output.records < recordsMin ? undefined : (output.bytes / output.records) * records,
  }
}

function ratesOf(taken: readonly (Taken & { readonly version: number })[]) {
  return taken
    .filter(({ records, seconds }) => records >= recordsMin && seconds > 0)
    .map(({ version, records, seconds }) => ({ version, perSecond: records / seconds }))
}
