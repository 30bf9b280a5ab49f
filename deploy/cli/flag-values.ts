import { InvalidArgumentError } from 'commander'
import { errorTable } from '../../engine/errors.ts'

/** Reads a flag that is a whole number of at least `least`; anything else is a usage error. */
export function atLeast(least: number): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (/^\d+$/.test(text) && Number.isSafeInteger(number) && number >= least) return number
    throw new InvalidArgumentError(`Write a whole number of at least ${least}.`)
  }
}

/** Reads a flag that is one of the codes of engine/errors.ts. */
export function errorCode(text: string): string {
  if (Object.hasOwn(errorTable, text)) return text
  throw new InvalidArgumentError('There is no such error code; docs/errors lists them.')
}
