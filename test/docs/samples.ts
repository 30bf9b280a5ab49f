import { readFileSync } from 'node:fs'

/** The code samples of one language in a page of this repository, in order. */
export function samplesOf(page: string, language: string): string[] {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8')
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter(([, found]) => found === language).map(([, , sample]) => sample!)
}

/** The commands of one of these programs in the samples of a page, in order, without what a comment says of them. */
export function commandsOf(page: string, ...programs: readonly string[]): string[] {
  const lines = samplesOf(page, 'sh').flatMap((sample) => sample.split('\n'))
  return lines.filter((line) => programs.includes(line.split(' ')[0]!)).map((line) => line.replace(/ +# .*/, ''))
}

/** As a shell would cut it. */
export function wordsOf(command: string): string[] {
  return [...command.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(([, single, double, plain]) => single ?? double ?? plain!)
}
