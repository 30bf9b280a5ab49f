import { existsSync, readFileSync } from 'node:fs'

/** Where package.json is: beside this folder in a checkout, one further up in a build. */
export function packageFolder(): URL | undefined {
  return ['..', '../..'].map((up) => new URL(`${up}/`, import.meta.url)).find((folder) => existsSync(new URL('package.json', folder)))
}

let version: string | undefined

/** Read once: each scrape of the metrics asks for it. */
export function packageVersion(): string {
  version ??= readVersion()
  return version
}

function readVersion(): string {
  const folder = packageFolder()
  if (folder === undefined) return 'unknown'
  return (JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as { version: string }).version
}
