/** `npm run check` looks at a tenth of what `npm test` does of everything that is drawn at random. */
const share = process.env.REPRISE_LANE === 'check' ? 0.1 : 1

/** How many of so many to look at. */
export function runsOf(all: number): number {
  return Math.max(1, Math.round(all * share))
}
