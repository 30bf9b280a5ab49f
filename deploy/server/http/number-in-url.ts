import { z } from 'zod'

/**
 * A whole number as it stands in a URL: digits. To `z.coerce` alone an empty text, of a variable that nobody has set, is 0; that will do where 0 is the
 * default, or no number that may be.
 */
export function numberInUrl(min: number) {
  const digits = (text: unknown) => (typeof text === 'string' && !/^-?\d+$/.test(text) ? Number.NaN : text)
  return z.preprocess(digits, z.coerce.number().int().min(min))
}
