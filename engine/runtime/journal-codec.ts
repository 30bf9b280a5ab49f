import { BlockBuilder } from '../block/block-builder.ts'
import { StreamError } from '../errors.ts'
import type { EpochMs } from '../model/record.ts'
import type { JournalRecord } from '../model/slice.ts'

/** Writes journal records as blocks. A record is JSON: it is read by people too. */
export class JournalWriter {
  private readonly builder = new BlockBuilder()

  block(record: JournalRecord, eventTime: EpochMs): Uint8Array {
    const { builder } = this
    builder.reset()
    builder.values.utf8(JSON.stringify(record))
    builder.endWith(eventTime, [], true, false)
    return builder.finish()
  }
}

/** Bytes that passed the log's checksum and are no journal record: LOG_CORRUPT. */
export function parseJournalRecord(value: Uint8Array | null, where: { topic: string; partition: number; offset: number }): JournalRecord {
  try {
    const record = JSON.parse(Buffer.from(value ?? []).toString()) as JournalRecord
    if (typeof record.slice?.seq === 'number' && typeof record.hash === 'string') return record
    throw new TypeError('seq or hash is missing')
  } catch (cause) {
    throw new StreamError('LOG_CORRUPT', { ...where, reason: 'not a journal record' }, { cause })
  }
}
