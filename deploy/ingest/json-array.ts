import { type InputBatches, type InputRecord, type ReadOptions, RecordMaker } from './input-record.ts'
import { isSpace, trimmed } from './json-space.ts'

/** Reads the elements of one JSON array, without ever holding more than a chunk and one element. */
export async function* readJsonArray(chunks: AsyncIterable<Uint8Array>, options: ReadOptions): InputBatches {
  const elements = new ElementSplitter(new RecordMaker(options))
  for await (const chunk of chunks) {
    const batch = elements.push(chunk)
    if (batch.length > 0) yield batch
  }
  elements.end()
}

/**
 * The records of a JSON text that is whole: the elements of an array, or the one value that it is. Their bytes are those of the text: written again,
 * numbers that a double does not have would be others.
 */
export function recordsOfJson(
  text: Uint8Array,
  options: ReadOptions,
): { readonly array: boolean; readonly records: readonly InputRecord[] } {
  const maker = new RecordMaker(options)
  const value = trimmed(text, true)
  if (value[0] !== open) {
    const record = maker.make(1, value)
    return { array: false, records: record === undefined ? [] : [record] }
  }
  const elements = new ElementSplitter(maker)
  const records = elements.push(text)
  elements.end()
  return { array: true, records }
}

//  start ──[──► first ──► element ──,──► next ──► element ... ──]──► done
type Place = 'start' | 'first' | 'element' | 'next' | 'done'

const [quote, backslash, comma, open, close, openObject, closeObject] = Buffer.from('"\\,[]{}') as unknown as number[]

class ElementSplitter {
  private readonly maker: RecordMaker
  private place: Place = 'start'
  private line = 1
  private elementLine = 1
  /** Brackets open inside the element. */
  private depth = 0
  private inString = false
  private escaped = false
  private readonly carried: Uint8Array[] = []
  private carriedBytes = 0
  private marks = 0

  constructor(maker: RecordMaker) {
    this.maker = maker
  }

  push(chunk: Uint8Array): InputRecord[] {
    const batch: InputRecord[] = []
    let from = 0
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!
      if (byte === 10) this.line++
      if (this.place !== 'element') {
        if (isSpace(byte) || this.isMark(byte)) continue
        if (!this.begins(byte)) continue
        this.place = 'element'
        from = i
        this.elementLine = this.line
      }
      if (!this.endsAt(byte)) continue
      this.endElement(chunk.subarray(from, i), batch)
      this.place = byte === comma ? 'next' : 'done'
    }
    if (this.place === 'element') this.carry(chunk.subarray(from))
    return batch
  }

  end(): void {
    if (this.place === 'done') return
    this.maker.broken(this.line, this.place === 'start' ? 'it is empty' : 'it ends inside the array', notAnArray)
  }

  /** A byte between elements. @returns whether an element begins with it. */
  private begins(byte: number): boolean {
    if (this.place === 'start') {
      if (byte !== open) this.maker.broken(this.line, 'not an array', notAnArray)
      this.place = 'first'
    } else if (this.place === 'done') {
      this.maker.broken(this.line, 'something follows the array', notAnArray)
    } else if (byte === close) {
      if (this.place === 'next') this.maker.broken(this.line, 'no element after a comma')
      this.place = 'done'
    } else if (byte === comma) {
      this.maker.broken(this.line, 'no element before a comma')
    } else {
      return true
    }
    return false
  }

  /** Takes the next byte of the element. @returns whether the element ended before it. */
  private endsAt(byte: number): boolean {
    if (this.inString) {
      if (this.escaped) this.escaped = false
      else if (byte === backslash) this.escaped = true
      else if (byte === quote) this.inString = false
    } else if (byte === quote) this.inString = true
    else if (byte === openObject || byte === open) this.depth++
    else if (this.depth > 0) {
      if (byte === closeObject || byte === close) this.depth--
    } else if (byte === comma || byte === close) return true
    return false
  }

  private endElement(rest: Uint8Array, batch: InputRecord[]): void {
    const whole = this.carriedBytes === 0 ? rest : Buffer.concat([...this.carried, rest])
    this.carried.length = 0
    this.carriedBytes = 0
    let end = whole.length
    while (isSpace(whole[end - 1]!)) end--
    const record = this.maker.make(this.elementLine, whole.subarray(0, end))
    if (record !== undefined) batch.push(record)
  }

  private carry(rest: Uint8Array): void {
    this.carriedBytes += rest.length
    // Where an element of this size ends can't be trusted: more likely a bracket or a quote is missing.
    if (this.carriedBytes > this.maker.bytesMax) this.maker.broken(this.elementLine, `an element of more than ${this.maker.bytesMax} bytes`)
    this.carried.push(rest)
  }

  /** One of the three bytes of a byte order mark at the very beginning. */
  private isMark(byte: number): boolean {
    return this.place === 'start' && this.line === 1 && byte === [0xef, 0xbb, 0xbf][this.marks] && ++this.marks <= 3
  }
}

const notAnArray = 'a .json file holds one array; for one JSON value a line name the file .ndjson'
