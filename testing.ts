/** What a job's tests import: the job run in memory, on a clock of its own. */

export { ManualClock } from './deploy/testing/manual-clock.ts'
export { type OutputRecord, type RawRecord, type SentRecord, TestKit, type TestKitOptions } from './deploy/testing/test-kit.ts'
