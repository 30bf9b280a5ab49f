import type { EpochMs } from '../../model/record.ts'

/**
 * `Date.parse`, except that a text without a zone of its own is read as UTC and not in the process's zone. NaN for what is no date.
 */
export function utcTimeOf(text: string): EpochMs {
  if (isoWithoutZone.test(text)) return Date.parse(`${text.replace(' ', 'T')}Z`)
  if (isoDateOnly.test(text) || isoWithZone.test(text)) return Date.parse(text)
  // The older forms, such as `Jan 2, 2024 10:00`: V8 passes over brackets, so a zone in them does not count.
  const plain = text.replace(/\([^)]*\)?/g, ' ')
  return Date.parse(namesZone(plain) ? plain : `${plain} UTC`)
}

const isoDateOnly = /^([+-]\d{6}|\d{4})(-\d\d(-\d\d)?)?$/
const isoWithoutZone = /^([+-]\d{6}|\d{4})(-\d\d(-\d\d)?)?[T ]\d\d:\d\d(:\d\d(\.\d+)?)?$/
const isoWithZone = /^([+-]\d{6}|\d{4})(-\d\d(-\d\d)?)?T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)$/

/**
 * A zone is a word V8 knows, or a sign and digits right behind a time of day. Too few texts seen as zoned do no harm: the zone that is
 * added then makes them independent of the process all the same.
 */
function namesZone(text: string): boolean {
  const word = /(^|[^a-z])(z|ut|utc|gmt|[ecmp][sd]t)(?![a-z])/i
  const sign = /(?<![\d:.])\d{1,2}:\d\d(:\d\d(\.\d+)?)?\s*([ap]m\s*)?[+-]\d{1,2}(:?\d\d)?(?!\d)/i
  return word.test(text) || sign.test(text)
}
