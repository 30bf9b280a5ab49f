/** The most bytes `writeNumber` takes: -0.0000012345678901234567 is the longest kind. */
export const NUMBER_BYTES_MAX = 25

/** '00' to '99' as two bytes of a little-endian word. */
const pairs = Uint16Array.from({ length: 100 }, (_, i) => 48 + Math.floor(i / 10) + ((48 + (i % 10)) << 8))

/** The text of a number that takes 8 to 16 bytes, as two words that may overlap. */
interface Written {
  value: number
  first: number
  last: number
  length: number
}

/** The long numbers written last: times above all, and a window's two stand in each of its results. What is written does not depend on it. */
let newest: Written = { value: Number.NaN, first: Number.NaN, last: Number.NaN, length: 0 }
let older: Written = { ...newest }

/** Writes a finite number as JSON.stringify does, at `at`. @returns the position after it. */
export function writeNumber(bytes: Buffer, view: DataView, at: number, value: number): number {
  if ((value | 0) === value && value >= 0) return writeInt(bytes, view, at, value | 0)
  if (value === newest.value) return copyWritten(view, at, newest)
  if (value === older.value) return copyWritten(view, at, older)
  const end = writeLong(bytes, view, at, value)
  if (end - at < 8 || end - at > 16) return end
  const written = older
  older = newest
  newest = written
  written.value = value
  written.first = view.getFloat64(at, true)
  written.last = view.getFloat64(end - 8, true)
  written.length = end - at
  return end
}

// As doubles: ASCII digits, signs and points never make a NaN.
function copyWritten(view: DataView, at: number, { first, last, length }: Written): number {
  view.setFloat64(at, first, true)
  view.setFloat64(at + length - 8, last, true)
  return at + length
}

function writeLong(bytes: Buffer, view: DataView, at: number, value: number): number {
  if (!Number.isSafeInteger(value)) return writeAscii(bytes, at, String(value))
  if (value < 0) {
    bytes[at++] = 45
    value = -value
  }
  if (value < 1e9) return writeInt(bytes, view, at, value | 0)
  // two halves that fit 32 bits: up to 9007199254740991, so the upper one has at most 8 digits
  const upper = Math.floor(value / 1e8)
  const lower = value - upper * 1e8
  const end = writeInt(bytes, view, at, upper | 0)
  const high = (lower / 1e4) | 0
  writeFour(view, end, high)
  writeFour(view, end + 4, (lower - high * 1e4) | 0)
  return end + 8
}

function writeInt(bytes: Buffer, view: DataView, at: number, value: number): number {
  const end = at + digitCount(value)
  let to = end
  while (value >= 100) {
    const rest = (value / 100) | 0
    to -= 2
    view.setUint16(to, pairs[value - rest * 100] as number, true)
    value = rest
  }
  if (value >= 10) view.setUint16(to - 2, pairs[value] as number, true)
  else bytes[to - 1] = 48 + value
  return end
}

/** Four digits with leading zeros. */
function writeFour(view: DataView, at: number, value: number): void {
  const high = (value / 100) | 0
  view.setUint16(at, pairs[high] as number, true)
  view.setUint16(at + 2, pairs[value - high * 100] as number, true)
}

function digitCount(value: number): number {
  return value < 10
    ? 1
    : value < 100
      ? 2
      : value < 1e3
        ? 3
        : value < 1e4
          ? 4
          : value < 1e5
            ? 5
            : value < 1e6
              ? 6
              : value < 1e7
                ? 7
                : value < 1e8
                  ? 8
                  : value < 1e9
                    ? 9
                    : 10
}

function writeAscii(bytes: Buffer, at: number, text: string): number {
  for (let i = 0; i < text.length; i++) bytes[at++] = text.charCodeAt(i)
  return at
}
