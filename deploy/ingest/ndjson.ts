import { type InputBatches, type InputRecord, type ReadOptions, RecordMaker } from './input-record.ts'
import { trimmed } from './json-space.ts'

/**
 * Reads one JSON value a line (LF or CRLF; blank lines and a byte order mark are passed over). Holds one chunk and one record. Where it fails at a
 * line, or the chunks do, all lines before have been given.
 */
export async function* readNdjson(chunks: AsyncIterable<Uint8Array>, options: ReadOptions): InputBatches {
  const lines = new LineSplitter(new RecordMaker(options))
  for await (const chunk of chunks) {
    yield* beforeFailure((batch) => lines.push(chunk, batch))
  }
  yield* beforeFailure((batch) => lines.end(batch))
}

function* beforeFailure(read: (batch: InputRecord[]) => void): Iterable<readonly InputRecord[]> {
  const batch: InputRecord[] = []
  let failure: { readonly error: unknown } | undefined
  try {
    read(batch)
  } catch (error) {
    failure = { error }
  }
  if (batch.length > 0) yield batch
  if (failure !== undefined) throw failure.error
}

const newline = 10

class LineSplitter {
  private readonly maker: RecordMaker
  private line = 1
  /** The beginning of a line whose end was not seen yet. */
  private carried: Uint8Array[] = []
  private carriedBytes = 0
  /** The line at hand outgrew the bound and was told of: the rest of it is passed over. */
  private skipping = false

  constructor(maker: RecordMaker) {
    this.maker = maker
  }

  push(chunk: Uint8Array, batch: InputRecord[]): void {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
    let from = 0
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, from)) {
      this.endLine(bytes.subarray(from, end), batch)
      from = end + 1
    }
    this.carry(bytes.subarray(from))
  }

  end(batch: InputRecord[]): void {
    this.endLine(new Uint8Array(0), batch)
  }

  private endLine(rest: Uint8Array, batch: InputRecord[]): void {
    const whole = this.carried.length === 0 ? rest : Buffer.concat([...this.carried, rest])
    if (!this.skipping) {
      const value = trimmed(whole, this.line === 1)
      const record = value.length === 0 ? undefined : this.maker.make(this.line, value)
      if (record !== undefined) batch.push(record)
    }
    this.carried = []
    this.carriedBytes = 0
    this.skipping = false
    this.line++
  }

  private carry(rest: Uint8Array): void {
    if (rest.length === 0 || this.skipping) return
    this.carriedBytes += rest.length
    if (this.carriedBytes <= this.maker.bytesMax) {
      this.carried.push(rest)
      return
    }
    this.maker.tooLarge(this.line, this.carriedBytes)
    this.carried = []
    this.skipping = true
  }
}
