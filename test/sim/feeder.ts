import { BlockBuilder } from '../../engine/block/block-builder.ts'
import { codeOf } from '../../engine/errors.ts'
import type { Append, Log } from '../../engine/ports/log.ts'
import type { SimRecord } from './jobs.ts'
import { unreadable } from './jobs.ts'
import type { Life } from './life.ts'
import type { Burst } from './scenario.ts'

/** Appends the input burst by burst, each once: its producer's number says which have arrived. */
export class Feeder {
  /** Everything has arrived and was acknowledged. */
  done = false
  private readonly bursts: Burst[]

  constructor(bursts: readonly Burst[]) {
    this.bursts = [...bursts]
  }

  /** Not before it has arrived is everything done again. */
  add(burst: Burst): void {
    this.bursts.push(burst)
    this.done = false
  }

  /** Goes on from where the log says it is, as long as the process lives. */
  async run(log: Log, life: Life): Promise<void> {
    while (!this.done && !life.zombie) {
      try {
        const producer = await log.producer('feeder')
        for (let { seq } = producer.end; seq < this.bursts.length; seq++) {
          const burst = this.bursts[seq]!
          if (burst.afterMs > 0) await life.clock.sleep(burst.afterMs)
          if (life.zombie) return
          await producer.commit({ expect: endOf(seq), next: endOf(seq + 1), appends: appendsOf(burst) })
        }
        this.done = true
      } catch (error) {
        if (codeOf(error) === 'COMMIT_FENCED') return
        if (!mended.has(codeOf(error) ?? '')) throw error
        await life.clock.sleep(5)
      }
    }
  }
}

const mended = new Set<string>(['COMMIT_OUTCOME_UNKNOWN', 'LOG_UNAVAILABLE', 'COMMIT_CONFLICT', 'DISK_FULL'])

function endOf(seq: number) {
  return { seq, hash: seq === 0 ? '' : `burst ${seq}` }
}

/** The records of a burst, in one block or several. */
function appendsOf({ topic, partition, records }: Burst): Append[] {
  const half = records.length > 3 ? records.length >> 1 : records.length
  return [records.slice(0, half), records.slice(half)]
    .filter((part) => part.length > 0)
    .map((part) => ({ topic, partition, block: blockOf(part) }))
}

/** As they stand in the log. */
export function blockOf(records: readonly SimRecord[]): Uint8Array {
  const builder = new BlockBuilder()
  for (const record of records) {
    const text = JSON.stringify(record)
    builder.add({ key: null, value: Buffer.from(record.amount === unreadable ? `${text.slice(0, -1)},` : text), eventTime: record.time })
  }
  return builder.finish()
}
