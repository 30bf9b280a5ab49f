import { InvalidArgumentError, Option } from 'commander'
import { errorTable, StreamError } from '../../engine/errors.ts'
import { standardInput } from '../ingest/input-format.ts'

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

/** A flag that can be given again. @param without what holds where it is not given, for the help. */
export function manyTimes(flag: string, help: string, without = 'none'): Option {
  const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]
  return new Option(flag, help).argParser(collect).default([], without)
}

/** Reads `topic=number`. */
export function partitionsOf(text: string): [string, number] {
  const [topic, count] = pair('--partitions', text, 'topic=number')
  return [topic, wholeNumber('--partitions', count, 1, 1024)]
}

/** Reads `topic/partition@offset`; undefined when it is not that. */
export function placeOf(text: string): { topic: string; partition: number; offset: number } | undefined {
  const found = /^(.+)\/(\d+)@(\d+)$/.exec(text)
  return found === null ? undefined : { topic: found[1]!, partition: Number(found[2]), offset: Number(found[3]) }
}

/** Cuts `name=value` in two; USAGE when it is not that. */
export function pair(flag: string, text: string, form: string): [string, string] {
  const at = text.indexOf('=')
  if (at < 1 || at === text.length - 1)
    throw new StreamError('USAGE', { reason: `${flag} ${text} is not ${form}` }, { fix: `write ${flag} ${form}` })
  return [text.slice(0, at), text.slice(at + 1)]
}

/** Reads a flag that is a whole number in bounds; USAGE when it is not. */
export function wholeNumber(flag: string, text: string, lowest: number, highest: number): number {
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= lowest && value <= highest) return value
  throw new StreamError(
    'USAGE',
    { reason: `${flag} ${text} is not a whole number from ${lowest} to ${highest}` },
    { fix: `write ${flag} ${lowest}, for example` },
  )
}

/** Refuses standard input named more than once among the files to take in. USAGE. */
export function checkReadOnce(files: readonly string[]): void {
  if (files.filter((file) => file === standardInput).length > 1)
    throw new StreamError('USAGE', { reason: 'standard input is named twice' }, { fix: 'it can be read once: leave one of them out' })
}
