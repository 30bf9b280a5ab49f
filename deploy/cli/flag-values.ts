import { InvalidArgumentError } from 'commander'

/** Reads a flag that is a whole number of at least `least`; anything else is a usage error. */
export function atLeast(least: number): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (/^\d+$/.test(text) && Number.isSafeInteger(number) && number >= least) return number
    throw new InvalidArgumentError(`Write a whole number of at least ${least}.`)
  }
}
