import { isUtf8 } from 'node:buffer'
import { StreamError } from '../../engine/errors.ts'
import { jsonDepthMax, tooDeep } from '../json-depth.ts'

/** One record of an input file. */
export interface InputRecord {
  /** Its place among the records of the file, from 0, bad ones counted: the same at each reading. */
  readonly number: number
  /** Line it begins on, from 1. */
  readonly line: number
  /** JSON, as UTF-8. Valid until the next batch is asked for. */
  readonly value: Uint8Array
}

/** Records are read in batches, about one for each chunk of the file; none is empty. */
export type InputBatches = AsyncIterable<readonly InputRecord[]>

export interface ReadOptions {
  /** For messages. */
  readonly file: string
  /** What becomes of records that are no JSON or too large: `fail` throws the error; a function is told and the record is left out. */
  readonly onBad: 'fail' | ((error: StreamError) => void)
  readonly recordBytesMax?: number
  /** Of what is held whole until it is committed: COMMIT_TOO_LARGE as soon as there are more. */
  readonly recordsMax?: number
}

export const notUtf8 = 'not UTF-8'

/** The way out for a record that is refused. */
export const leaveOut = 'mend the line; or leave such lines out, each is told of: --on-bad skip'

const recordBytesMaxDefault = 8 << 20

/** Turns the pieces a file is cut into into records, or into errors by the policy. */
export class RecordMaker {
  readonly bytesMax: number
  private readonly recordsMax: number
  private count = 0
  private readonly options: ReadOptions

  constructor(options: ReadOptions) {
    this.options = options
    this.bytesMax = options.recordBytesMax ?? recordBytesMaxDefault
    this.recordsMax = options.recordsMax ?? Number.POSITIVE_INFINITY
  }

  /** The record, or undefined when it is bad and the policy says to go on. */
  make(line: number, value: Uint8Array): InputRecord | undefined {
    if (this.count === this.recordsMax) throw new StreamError('COMMIT_TOO_LARGE', { recordsMax: this.recordsMax })
    if (value.length > this.bytesMax) return this.tooLarge(line, value.length)
    const problem = problemOf(value)
    if (problem !== undefined) return this.bad(line, problem)
    return { number: this.count++, line, value }
  }

  bad(line: number, reason: string): undefined {
    this.count++
    this.refuse(new StreamError('RECORD_MALFORMED', { file: this.options.file, line, reason }, { fix: leaveOut }))
  }

  /** Called once for a record that outgrew the bound before its end was seen. */
  tooLarge(line: number, bytes: number): undefined {
    this.count++
    this.refuse(new StreamError('RECORD_TOO_LARGE', { file: this.options.file, line, bytes, bytesMax: this.bytesMax }, { fix: leaveOut }))
  }

  /** The file as a whole can't be read on from here: fails whatever the policy is. */
  broken(line: number, reason: string, fix = 'mend the file there'): never {
    throw new StreamError('RECORD_MALFORMED', { file: this.options.file, line, reason }, { fix })
  }

  private refuse(error: StreamError): void {
    if (this.options.onBad === 'fail') throw error
    this.options.onBad(error)
  }
}

function problemOf(value: Uint8Array): string | undefined {
  // Decoding would put replacement characters in the place of bad bytes, without a word.
  if (!isUtf8(value)) return notUtf8
  try {
    const text = Buffer.from(value.buffer, value.byteOffset, value.length).utf8Slice()
    JSON.parse(text)
    return tooDeep(text) ? `nested deeper than ${jsonDepthMax} levels` : undefined
  } catch (error) {
    return (error as SyntaxError).message
  }
}
