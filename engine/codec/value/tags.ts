/**
 * The first byte of each value. From 0x80 on it holds a whole short value:
 *
 *     0x80 + n   text of n characters below U+0100, n < 64
 *     0xc0 + n   the number n, n < 64
 */
export const tag = {
  null: 0,
  undefined: 1,
  false: 2,
  true: 3,
  /** Zigzag varint: whole numbers of 32 bits, never -0. */
  int: 4,
  /** 8 bytes, big endian; NaN in one form only. */
  double: 5,
  /** Varint length, one byte a character. */
  narrowText: 6,
  /** Varint length, two bytes a UTF-16 code unit, little endian: also halves of surrogate pairs survive. */
  wideText: 7,
  /** Sign byte, varint length, magnitude in bytes, big endian. */
  bigint: 8,
  /** A double: milliseconds, NaN for an invalid date. */
  date: 9,
  bytes: 10,
  buffer: 11,
  /** Varint length, then the values. */
  array: 12,
  /** Text and value of each property, in their order, then `end`. */
  object: 13,
  /** The same with no prototype. */
  bareObject: 14,
  map: 15,
  set: 16,
  /** In arrays only: varint count of holes. */
  holes: 17,
  end: 18,
} as const

export const shortText = 0x80
export const smallInt = 0xc0
export const shortMax = 63

/** Deeper values are taken for circles. */
export const depthMax = 200
