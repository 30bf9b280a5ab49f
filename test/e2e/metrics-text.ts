export interface Sample {
  readonly name: string
  /** Of a histogram: without `_bucket`, `_sum`, `_count`. */
  readonly base: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** What stands in an exposition. */
export interface Scrape {
  /** By name. */
  readonly types: Readonly<Record<string, string>>
  readonly names: readonly string[]
  readonly samples: readonly Sample[]
  /** Of the series with exactly these labels; undefined: there is none. */
  value(name: string, labels: object): number | undefined
}

export async function scrape(url: string): Promise<Scrape> {
  return parseMetrics(await (await fetch(`${url}/metrics`)).text())
}

export function parseMetrics(text: string): Scrape {
  const types = Object.fromEntries([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name!, type!]))
  const samples = [...text.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)$/gm)].map(([, name, labels = '', value]): Sample => {
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label, text]) => [label!, text!])
    const whole = name!.replace(/_(bucket|sum|count)$/, '')
    return { name: name!, base: types[whole] === 'histogram' ? whole : name!, labels: Object.fromEntries(pairs), value: Number(value) }
  })
  const keyOf = (name: string, labels: object) => JSON.stringify([name, Object.entries(labels).sort()])
  const values = new Map(samples.map(({ name, labels, value }) => [keyOf(name, labels), value]))
  return { types, names: samples.map(({ name }) => name), samples, value: (name, labels) => values.get(keyOf(name, labels)) }
}
