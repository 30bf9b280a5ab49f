const started = performance.now()
const coloured = process.stdout.isTTY === true && process.env.NO_COLOR === undefined

/** A heading with an empty line above. */
export function title(text: string): void {
  print(`\n${bold(text)}`)
}

/** A sentence on what comes next. */
export function explain(text: string): void {
  print(dim(text))
}

/** What was done and what came of it; the seconds since the start at the right. */
export function done(what: string, result: string): void {
  print(`  ✔ ${what.padEnd(20)} ${result.padEnd(86)} ${dim(`${((performance.now() - started) / 1000).toFixed(1)} s`)}`)
}

export function count(value: number): string {
  return value.toLocaleString('en-US')
}

function bold(text: string): string {
  return coloured ? `\u001b[1m${text}\u001b[0m` : text
}

function dim(text: string): string {
  return coloured ? `\u001b[2m${text}\u001b[0m` : text
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
