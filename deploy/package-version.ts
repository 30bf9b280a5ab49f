import { existsSync, readFileSync } from 'node:fs'

/** The version in package.json: beside this folder in a checkout, one further up in a build. */
export function packageVersion(): string {
  const file = ['../package.json', '../../package.json'].map((name) => new URL(name, import.meta.url)).find((url) => existsSync(url))
  return file === undefined ? 'unknown' : (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
}
