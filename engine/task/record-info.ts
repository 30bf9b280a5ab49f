import type { Key } from '../model/record.ts'
import type { RecordInfo } from '../model/topology.ts'
import type { Moment } from './operator.ts'

/** The view of the record at hand that the job's functions get: always of the present moment. */
export function recordInfo(moment: Moment): RecordInfo {
  return new MomentInfo(moment)
}

class MomentInfo implements RecordInfo {
  private readonly moment: Moment
  constructor(moment: Moment) {
    this.moment = moment
  }
  get key(): Key | undefined {
    return this.moment.key
  }
  get eventTime(): number {
    return this.moment.eventTime
  }
  get appendTime(): number {
    return this.moment.appendTime
  }
  get topic(): string {
    return this.moment.topic
  }
  get partition(): number {
    return this.moment.partition
  }
  get offset(): number {
    return this.moment.offset
  }
  get headers(): Readonly<Record<string, string>> {
    const found: Record<string, string> = Object.create(null)
    for (const { name, value } of this.moment.headers()) found[name] = Buffer.from(value.buffer, value.byteOffset, value.length).utf8Slice()
    return found
  }
}
