/** What a job's tests import: the job run in memory, on a clock of its own. */

export type { TestKitOptions } from './deploy/testing/kit-options.ts'
export { ManualClock } from './deploy/testing/manual-clock.ts'
export { type OutputRecord, type RawRecord, type SentRecord, TestKit } from './deploy/testing/test-kit.ts'
