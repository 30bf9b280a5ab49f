import type { Aggregator } from './aggregator.ts'

/** How many records. */
export function count(): Aggregator<unknown, number> {
  return {
    type: 'count',
    retractable: true,
    how: { helpers: {}, code: () => ({ create: '', add: '', remove: '', merge: '', unmerge: '', copy: '', result: 'c.n' }) },
  }
}
