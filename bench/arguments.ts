import { parseArgs } from 'node:util'

export interface BenchArguments {
  readonly json: boolean
  /** Row names; empty for all. */
  readonly only: readonly string[]
  readonly records: number | undefined
  readonly repetitions: number
  readonly pin: boolean
  /** Where data directories are made and removed again. On a real disk: an fsync into memory costs nothing. */
  readonly dir: string
  /** Writes a CPU profile of each row here and says where the time went. */
  readonly profile: string | undefined
}

export const usage = `npm run bench -- [options]
  --json               one line of JSON a row
  --only q0,q5         these rows
  --records 1000000    of input a row
  --repetitions 5      of the rate rows; medians are shown
  --no-pin             don't pin to one core
  --dir tmp/bench      where data directories are made
  --profile tmp/prof   write a CPU profile of each row there and sum it up`

/** Throws TypeError with the reason. */
export function parseBenchArguments(args: readonly string[]): BenchArguments {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'boolean', default: false },
      only: { type: 'string', default: '' },
      records: { type: 'string' },
      repetitions: { type: 'string', default: '5' },
      'no-pin': { type: 'boolean', default: false },
      dir: { type: 'string', default: 'tmp/bench' },
      profile: { type: 'string' },
    },
  })
  return {
    json: values.json,
    only: values.only.split(',').filter((name) => name !== ''),
    records: values.records === undefined ? undefined : count('records', values.records),
    repetitions: count('repetitions', values.repetitions),
    pin: !values['no-pin'],
    dir: values.dir,
    profile: values.profile,
  }
}

function count(name: string, text: string): number {
  const value = Number(text.replaceAll('_', ''))
  if (!Number.isSafeInteger(value) || value < 1) throw new TypeError(`--${name} must be a whole number above 0, not ${text}`)
  return value
}
