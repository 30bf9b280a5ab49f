import type { EpochMs } from '../engine/model/record.ts'

/** How far a version had come at one look: offsets taken, and to take. */
export interface ProgressSample {
  readonly at: EpochMs
  readonly done: number
  /** It moves while records come in. */
  readonly target: number
}

export interface Eta {
  /** `computing`: too little was seen yet. `never`: what comes in is more than what is taken. */
  readonly state: 'computing' | 'estimated' | 'never' | 'paused' | 'done'
  readonly seconds?: number
  /** Where the rates of parts of what was seen would lead to. */
  readonly low?: number
  readonly high?: number
  /** Why never. */
  readonly reason?: string
}

export interface Progress {
  /** 0 to 1; 1 where there is nothing to take. */
  readonly ratio: number
  readonly done: number
  readonly target: number
  /** Records a second: taken (0 while paused), come in, and the first without the second. Undefined: too little was seen yet. */
  readonly recordsPerSecond: number | undefined
  readonly headPerSecond: number | undefined
  readonly netPerSecond: number | undefined
  readonly eta: Eta
}

/** What is looked back on. */
export const windowMs = 20_000

/** A rate over less says nothing. */
const leastMs = 2_000

/**
 * @param samples oldest first, at least one. `within`: close enough to count as done (see CatchUpPolicy).
 * Pure.
 */
export function progressOf(samples: readonly ProgressSample[], { paused, within }: { paused: boolean; within: boolean }): Progress {
  const last = samples.at(-1)!
  const first = samples.find(({ at }) => last.at - at <= windowMs)!
  const rates = last.at - first.at >= leastMs ? ratesOf(first, last) : undefined
  const remaining = last.target - last.done
  const taken = paused ? 0 : rates?.taken
  return {
    ratio: last.target === 0 ? 1 : Math.min(1, last.done / last.target),
    done: last.done,
    target: last.target,
    recordsPerSecond: taken,
    headPerSecond: rates?.head,
    netPerSecond: rates === undefined ? undefined : taken! - rates.head,
    eta: etaOf(),
  }

  function etaOf(): Eta {
    if (within || remaining <= 0) return { state: 'done', seconds: 0 }
    if (paused) return { state: 'paused' }
    if (rates === undefined) return { state: 'computing' }
    if (rates.net <= 0) {
      return {
        state: 'never',
        reason: `${perSecond(rates.head)} come in, ${perSecond(rates.taken)} are taken`,
      }
    }
    const seconds = remaining / rates.net
    const parts = halvesOf(samples, first, last).map(({ net }) => (net > 0 ? remaining / net : seconds * 4))
    return { state: 'estimated', seconds, low: Math.min(seconds, ...parts), high: Math.max(seconds, ...parts) }
  }
}

interface Rates {
  readonly taken: number
  readonly head: number
  readonly net: number
}

function ratesOf(from: ProgressSample, to: ProgressSample): Rates {
  const seconds = (to.at - from.at) / 1000
  const taken = (to.done - from.done) / seconds
  const head = (to.target - from.target) / seconds
  return { taken, head, net: taken - head }
}

function halvesOf(samples: readonly ProgressSample[], first: ProgressSample, last: ProgressSample): Rates[] {
  const middle = samples.find(({ at }) => at >= (first.at + last.at) / 2)!
  const halves: Rates[] = []
  if (middle.at > first.at) halves.push(ratesOf(first, middle))
  if (last.at > middle.at) halves.push(ratesOf(middle, last))
  return halves
}

const perSecond = (rate: number): string => `${rate.toLocaleString('en-US', { maximumFractionDigits: rate < 10 ? 1 : 0 })} records/s`
