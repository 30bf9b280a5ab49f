import { existsSync, readFileSync } from 'node:fs'

/** Where package.json is: beside this folder in a checkout, one further up in a build. */
export function packageFolder(): URL | undefined {
  return ['..', '../..'].map((up) => new URL(`${up}/`, import.meta.url)).find((folder) => existsSync(new URL('package.json', folder)))
}

export function packageVersion(): string {
  const folder = packageFolder()
  return folder === undefined
    ? 'unknown'
    : (JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as { version: string }).version
}
