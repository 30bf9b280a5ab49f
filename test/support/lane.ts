/** `npm run check` looks at a tenth of what `npm test` does of everything that is drawn at random. */
const share = process.env.REPRISE_LANE === 'check' ? 0.1 : 1

/** Random windows a kind: many kinds of them, each looked at so often. */
export function windowRuns(all: number): number {
  const { REPRISE_WINDOW_RUNS, REPRISE_FULL } = process.env
  return REPRISE_WINDOW_RUNS === undefined ? (REPRISE_FULL === '1' ? 10 * all : runsOf(all)) : Number(REPRISE_WINDOW_RUNS)
}

/** How many of so many to look at. */
export function runsOf(all: number): number {
  return Math.max(1, Math.round(all * share))
}
