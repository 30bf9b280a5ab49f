/**
 * A sum of doubles without rounding: what was added can be taken out again, and no order gives another result.
 * Invariants: I1 `parts` do not overlap, rise in magnitude, hold no zero, and add up exactly to the values below 2^960;
 * I2 `huge` is the sum of all others that are finite, in units of 2^908, so no partial sum overflows; I3 the rest are counts.
 * After J. R. Shewchuk, Adaptive Precision Floating-Point Arithmetic (1997).
 */
export interface ExactSum {
  parts: number[]
  huge: bigint
  nan: number
  plusInfinity: number
  minusInfinity: number
}

const hugeFrom = 2 ** 960
const hugeUnitBits = 908
const hugeScale = 2 ** -hugeUnitBits

export function exactSum(...values: readonly number[]): ExactSum {
  const sum: ExactSum = { parts: [], huge: 0n, nan: 0, plusInfinity: 0, minusInfinity: 0 }
  for (const value of values) addExact(sum, value)
  return sum
}

export function addExact(sum: ExactSum, value: number): void {
  if (Math.abs(value) < hugeFrom) addPart(sum.parts, value)
  else addRare(sum, value, 1)
}

/** Takes out a value that was added. */
export function removeExact(sum: ExactSum, value: number): void {
  if (Math.abs(value) < hugeFrom) addPart(sum.parts, -value)
  else addRare(sum, value, -1)
}

/** @param sign 1 adds all of `other`, -1 takes it out. */
export function mergeExact(sum: ExactSum, other: ExactSum, sign: 1 | -1): void {
  const { parts } = other
  for (let i = 0; i < parts.length; i++) addExact(sum, sign * parts[i]!)
  if (sign === 1) sum.huge += other.huge
  else sum.huge -= other.huge
  sum.nan += sign * other.nan
  sum.plusInfinity += sign * other.plusInfinity
  sum.minusInfinity += sign * other.minusInfinity
}

export function copyExact(sum: ExactSum): ExactSum {
  return { parts: sum.parts.slice(), huge: sum.huge, nan: sum.nan, plusInfinity: sum.plusInfinity, minusInfinity: sum.minusInfinity }
}

/** The double nearest to the exact sum (ties to even); never -0. NaN with a NaN or both infinities in it. */
export function exactValue(sum: ExactSum): number {
  if (sum.nan > 0 || (sum.plusInfinity > 0 && sum.minusInfinity > 0)) return Number.NaN
  if (sum.plusInfinity > 0) return Number.POSITIVE_INFINITY
  if (sum.minusInfinity > 0) return Number.NEGATIVE_INFINITY
  return sum.huge === 0n ? roundParts(sum.parts) : roundUnits(sum)
}

/** Adds `value` part by part: each step keeps what the rounded sum of the two misses. */
function addPart(parts: number[], value: number): void {
  let carry = value
  let kept = 0
  const { length } = parts
  for (let i = 0; i < length; i++) {
    const part = parts[i]!
    const rounded = carry + part
    const partSeen = rounded - carry
    const missed = carry - (rounded - partSeen) + (part - partSeen)
    if (missed !== 0) parts[kept++] = missed
    carry = rounded
  }
  if (carry !== 0) parts[kept++] = carry
  if (kept < length) parts.length = kept
}

function addRare(sum: ExactSum, value: number, sign: 1 | -1): void {
  if (Number.isNaN(value)) sum.nan += sign
  else if (value === Number.POSITIVE_INFINITY) sum.plusInfinity += sign
  else if (value === Number.NEGATIVE_INFINITY) sum.minusInfinity += sign
  else sum.huge += BigInt(sign * value * hugeScale)
}

function roundParts(parts: readonly number[]): number {
  let i = parts.length - 1
  if (i < 0) return 0
  let sum = parts[i]!
  while (--i >= 0) {
    const before = sum
    const part = parts[i]!
    sum = before + part
    const missed = part - (sum - before)
    if (missed === 0) continue
    // Rounded once. Exactly in the middle of two doubles, the parts below decide.
    if (i > 0 && missed < 0 === parts[i - 1]! < 0) {
      const twice = missed * 2
      const other = sum + twice
      if (other - sum === twice) sum = other
    }
    break
  }
  return sum
}

/** By whole numbers of the smallest double, 2^-1074. */
function roundUnits(sum: ExactSum): number {
  let units = sum.huge << BigInt(hugeUnitBits + 1074)
  for (const part of sum.parts) units += unitsOf(part)
  const magnitude = units < 0n ? -units : units
  const sign = units < 0n ? -1 : 1
  const bits = magnitude.toString(2).length
  if (magnitude === 0n) return 0
  if (bits <= 64) return sign * Number(magnitude) * 2 ** -1074
  const shift = BigInt(bits - 64)
  const top = magnitude >> shift
  // A set last bit stands for everything cut off: it decides in the middle of two doubles only.
  const sticky = top << shift === magnitude ? top : top | 1n
  return sign * Number(sticky) * 2 ** (bits - 64 - 1074)
}

const view = new DataView(new ArrayBuffer(8))

function unitsOf(value: number): bigint {
  view.setFloat64(0, value)
  const bits = view.getBigUint64(0)
  const exponent = (bits >> 52n) & 0x7ffn
  const fraction = bits & 0xf_ffff_ffff_ffffn
  const magnitude = exponent === 0n ? fraction : (fraction | 0x10_0000_0000_0000n) << (exponent - 1n)
  return value < 0 ? -magnitude : magnitude
}
