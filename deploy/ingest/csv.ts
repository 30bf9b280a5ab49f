import { isUtf8 } from 'node:buffer'
import { Readable } from 'node:stream'
import { CsvError, type Info, parse } from 'csv-parse'
import { type CellTypes, cellValue } from './csv-cell.ts'
import { type InputBatches, type InputRecord, notUtf8, type ReadOptions, RecordMaker } from './input-record.ts'

export interface CsvOptions extends ReadOptions {
  /** What the topic's schema says of its columns; a column that is not in it is read by the look of its cells (see csv-cell.ts). */
  readonly types?: CellTypes
}

const batchRecords = 512

/**
 * Reads rows under a header row as JSON objects. Comma-separated, quotes as in RFC 4180, quoted cells may hold line ends.
 * A byte order mark is passed over. A wrong quote fails whatever the policy is: where the rows behind it end is not known.
 */
export async function* readCsv(chunks: AsyncIterable<Uint8Array>, options: CsvOptions): InputBatches {
  const maker = new RecordMaker(options)
  let header: readonly string[] | undefined
  let batch: InputRecord[] = []
  let line = 1
  for await (const { record: cells, info } of rowsOf(chunks, maker)) {
    const at = line
    line = info.lines + 1
    if (header === undefined) {
      header = headerOf(cells, maker)
      continue
    }
    const record = recordOf(maker, at, { header, cells, types: options.types })
    if (record !== undefined) batch.push(record)
    if (batch.length < batchRecords) continue
    yield batch
    batch = []
  }
  if (header === undefined) maker.broken(1, 'the file is empty', 'the first row names the columns')
  if (batch.length > 0) yield batch
}

async function* rowsOf(chunks: AsyncIterable<Uint8Array>, maker: RecordMaker): AsyncIterable<{ record: string[]; info: Info }> {
  // A character a byte: decoding would put replacement characters in the place of bad ones, without a word.
  const parser = parse({ encoding: 'latin1', info: true, relax_column_count: true, max_record_size: maker.bytesMax })
  const source = Readable.from(withoutMark(chunks), { objectMode: false })
  source.on('error', (error) => parser.destroy(error))
  try {
    yield* source.pipe(parser)
  } catch (error) {
    if (!(error instanceof CsvError)) throw error
    maker.broken(Number(error.lines ?? 1), error.message)
  } finally {
    source.destroy()
  }
}

const byteOrderMark = Buffer.from('\uFEFF')

// The parser would take a mark as its leave to decode.
async function* withoutMark(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let head: Buffer | undefined = Buffer.alloc(0)
  for await (const chunk of chunks) {
    if (head === undefined) {
      yield chunk
      continue
    }
    head = Buffer.concat([head, chunk])
    if (head.length < byteOrderMark.length) continue
    yield head.indexOf(byteOrderMark) === 0 ? head.subarray(byteOrderMark.length) : head
    head = undefined
  }
  if (head !== undefined) yield head
}

function headerOf(cells: readonly string[], maker: RecordMaker): readonly string[] {
  const names = cells.map((cell) => (textOf(cell) ?? maker.broken(1, notUtf8)).trim())
  const repeated = names.find((name, i) => names.indexOf(name) !== i)
  if (repeated !== undefined) maker.broken(1, `two columns are named "${repeated}"`)
  if (names.includes('')) maker.broken(1, `column ${names.indexOf('') + 1} has no name`)
  return names
}

interface Row {
  readonly header: readonly string[]
  readonly cells: readonly string[]
  readonly types: CellTypes | undefined
}

function recordOf(maker: RecordMaker, line: number, { header, cells, types = {} }: Row): InputRecord | undefined {
  if (cells.length !== header.length) return maker.bad(line, `${cells.length} cells under ${header.length} columns`)
  const object: Record<string, unknown> = Object.create(null)
  for (let i = 0; i < header.length; i++) {
    const name = header[i]!
    const text = textOf(cells[i]!)
    if (text === undefined) return maker.bad(line, notUtf8)
    object[name] = cellValue(text, types[name])
  }
  return maker.make(line, Buffer.from(JSON.stringify(object)))
}

const beyondAscii = /[\x80-\xff]/

/** @param cell a character a byte. Undefined: they are not UTF-8. */
function textOf(cell: string): string | undefined {
  if (!beyondAscii.test(cell)) return cell
  const bytes = Buffer.from(cell, 'latin1')
  return isUtf8(bytes) ? bytes.toString() : undefined
}
