/** The most bytes `writeNumber` takes: sign, 17 digits, point, exponent, or 21 digits in full. */
export const NUMBER_BYTES_MAX = 32

const digitPairs = new Uint8Array(200)
for (let i = 0; i < 100; i++) {
  digitPairs[2 * i] = 48 + Math.floor(i / 10)
  digitPairs[2 * i + 1] = 48 + (i % 10)
}

/** Writes a finite number as JSON.stringify does, at `at`. @returns the position after it. */
export function writeNumber(bytes: Buffer, at: number, value: number): number {
  if ((value | 0) === value && value >= 0) return writeInt(bytes, at, value)
  if (!Number.isSafeInteger(value)) return writeAscii(bytes, at, String(value))
  if (value < 0) {
    bytes[at++] = 45
    value = -value
  }
  if (value < 1e9) return writeInt(bytes, at, value)
  // two halves that fit 32 bits: up to 9007199254740991, so the upper one has at most 8 digits
  const upper = Math.floor(value / 1e8)
  const end = writeInt(bytes, at, upper) + 8
  writePadded(bytes, end, value - upper * 1e8)
  return end
}

function writeInt(bytes: Buffer, at: number, value: number): number {
  const end = at + digitCount(value)
  let to = end
  while (value >= 100) {
    const rest = (value / 100) | 0
    const pair = (value - rest * 100) << 1
    value = rest
    bytes[--to] = digitPairs[pair + 1] as number
    bytes[--to] = digitPairs[pair] as number
  }
  if (value >= 10) bytes[--to] = digitPairs[(value << 1) + 1] as number
  bytes[--to] = value >= 10 ? (digitPairs[value << 1] as number) : 48 + value
  return end
}

/** Eight digits that end before `end`, with leading zeros. */
function writePadded(bytes: Buffer, end: number, value: number): void {
  for (let i = 0; i < 4; i++) {
    const rest = (value / 100) | 0
    const pair = (value - rest * 100) << 1
    value = rest
    bytes[--end] = digitPairs[pair + 1] as number
    bytes[--end] = digitPairs[pair] as number
  }
}

function digitCount(value: number): number {
  return value < 10 ? 1 : value < 100 ? 2 : value < 1e3 ? 3 : value < 1e4 ? 4 : value < 1e5 ? 5
    : value < 1e6 ? 6 : value < 1e7 ? 7 : value < 1e8 ? 8 : value < 1e9 ? 9 : 10
}

function writeAscii(bytes: Buffer, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i)
  return at
}
