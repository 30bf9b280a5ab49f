import { readFileSync } from 'node:fs'

/** The code samples of one language in a page of this repository, in order. */
export function samplesOf(page: string, language: string): string[] {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8')
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter(([, found]) => found === language).map(([, , sample]) => sample!)
}
