import { StreamError } from '../../engine/errors.ts'
import type { RateLimits } from '../../replay/pace.ts'

const thousands = { '': 1, k: 1e3, M: 1e6, G: 1e9 } as const

/**
 * Reads `20k` as records a second, `10MB` as bytes a second, `max` as no limit on either. k, M and G are thousands, millions and so on.
 * Only what the text is about is named. Errors: USAGE.
 */
export function rateOf(text: string): Partial<RateLimits> {
  if (text === 'max') return { recordsPerSecond: null, bytesPerSecond: null }
  const found = /^(\d+(?:\.\d+)?)([kMG]?)(B?)(?:\/s)?$/.exec(text)
  if (found === null)
    throw new StreamError('USAGE', { reason: `${text} is not a rate` }, { fix: 'write 500, 20k or 1.5M records, 500kB or 10MB, max or 0' })
  const rate = Number(found[1]) * thousands[found[2] as keyof typeof thousands]
  return found[3] === 'B' ? { bytesPerSecond: rate } : { recordsPerSecond: rate }
}

export const rateHelp = 'takes at most so much a second from the start: 20k records, 10MB'

/** For requests that deploy; nothing without the flag. Errors: USAGE. */
export function rateBody(text: string | undefined): object {
  if (text === undefined) return {}
  const rate = rateOf(text)
  if (Object.values(rate).includes(0))
    throw new StreamError('USAGE', { reason: `--rate ${text} would take nothing` }, { fix: 'deploy with a low rate, then: reprise pause' })
  return { rate }
}

/** As a sentence goes on behind the version's name. */
export function limitText({ recordsPerSecond, bytesPerSecond }: RateLimits): string {
  const limits = [
    ...(recordsPerSecond === null ? [] : [`${recordsPerSecond} records/s`]),
    ...(bytesPerSecond === null ? [] : [byteRate(bytesPerSecond)]),
  ]
  return limits.length === 0 ? 'takes as many as it can' : `takes at most ${limits.join(' and ')}`
}

export function byteRate(rate: number): string {
  const unit = (['G', 'M', 'k'] as const).find((name) => rate >= thousands[name]) ?? ''
  return `${Number((rate / thousands[unit]).toPrecision(4))} ${unit}B/s`
}
