import type { EpochMs } from '../../model/record.ts'
import type { Present } from '../../task/present.ts'
import { jobDate } from './job-date.ts'

/** The present time and the random numbers of one task's job code: functions of the record and the slice at hand. */
export class JobPresent implements Present {
  /** 0 until the first record is handled: also while the job file is evaluated. */
  time: EpochMs = 0
  /** The `Date` of the job's code. */
  readonly Date = jobDate(this)
  private a = 0
  private b = 0
  private c = 0
  private counter = 1

  constructor() {
    this.seed(0, 0)
  }

  /** Starts the random numbers over. */
  seed(task: number, seq: number): void {
    this.a = task | 0
    this.b = seq | 0
    this.c = (seq / 2 ** 32) | 0
    this.counter = 1
    // Seeds that differ in one bit have nothing in common after these rounds.
    for (let i = 0; i < 12; i++) this.next()
  }

  readonly makeDate = (ms: EpochMs): Date => new this.Date(ms)

  /** Like Math.random: 0 <= x < 1, 53 bits. */
  random(): number {
    return ((this.next() >>> 5) * 2 ** 26 + (this.next() >>> 6)) / 2 ** 53
  }

  /** Doty-Humphrey's sfc32. */
  private next(): number {
    const sum = (this.a + this.b + this.counter) | 0
    this.counter = (this.counter + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0
    return sum
  }
}
