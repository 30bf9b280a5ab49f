/** 1 to 1e15, all exact. */
export const powersOfTen = Array.from({ length: 16 }, (_, exponent) => Number(`1e${exponent}`))

/**
 * The number in [start, end), whose grammar `skipNumber` has checked; the same double as JSON.parse, Infinity when it is too large.
 * Up to 15 digits, before and after the point, both halves are exact doubles, so one division rounds correctly (Clinger's fast path);
 * anything else goes to the parser of the JavaScript engine.
 */
export function numberOf(bytes: Buffer, start: number, end: number): number {
  const negative = bytes[start] === 45
  let at = negative ? start + 1 : start
  let mantissa = 0
  let digits = 0
  let decimals = 0
  let point = false
  for (; at < end; at++) {
    const digit = (bytes[at] as number) - 48
    if (digit >= 0 && digit <= 9) {
      mantissa = mantissa * 10 + digit
      digits++
      if (point) decimals++
    } else if (digit === -2) point = true
    else break
  }
  if (at < end || digits > 15) return Number(bytes.latin1Slice(start, end))
  const value = decimals === 0 ? mantissa : mantissa / (powersOfTen[decimals] as number)
  return negative ? -value : value
}

/** The string between the quotes at start - 1 and end - 1, which `skipString` has checked; it may hold escapes and invalid UTF-8. */
export function stringOf(bytes: Buffer, start: number, end: number): string {
  const inside = bytes.utf8Slice(start, end - 1)
  return inside.includes('\\') ? (JSON.parse(`"${inside}"`) as string) : inside
}

/** Length as zod counts it: in code points. */
export function codePoints(text: string): number {
  let length = text.length
  for (let i = 0; i < text.length - 1; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      length--
      i++
    }
  }
  return length
}
