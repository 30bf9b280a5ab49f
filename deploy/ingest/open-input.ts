import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { addAbortSignal, type Readable } from 'node:stream'
import { StreamError } from '../../engine/errors.ts'
import { fileUnreadable } from '../file-unreadable.ts'
import { readCsv } from './csv.ts'
import type { CellTypes } from './csv-cell.ts'
import { type InputFormat, inputFormats, standardInput } from './input-format.ts'
import type { InputBatches, ReadOptions } from './input-record.ts'
import { readJsonArray } from './json-array.ts'
import { readNdjson } from './ndjson.ts'

export interface InputOptions extends Omit<ReadOptions, 'file'> {
  /** Absent: by the ending of the file name; standard input is NDJSON. */
  readonly format?: InputFormat
  /** For .csv: what the topic's schema says. */
  readonly types?: CellTypes
  /** Aborted: reading ends with an AbortError, also where it waits for standard input. */
  readonly stop?: AbortSignal
  /** Told of the bytes read so far, for progress. */
  readonly onBytes?: (bytes: number) => void
}

/** The records of a file, or of standard input for `-`. FILE_UNREADABLE, USAGE for an ending that says no format. */
export function openInput(file: string, { format = formatOf(file), types, stop, onBytes, ...options }: InputOptions): InputBatches {
  const chunks = counted(chunksOf(file, stop), onBytes)
  const all = { ...options, file: file === standardInput ? 'standard input' : file }
  if (format === 'csv') return readCsv(chunks, types === undefined ? all : { ...all, types })
  return format === 'json' ? readJsonArray(chunks, all) : readNdjson(chunks, all)
}

/** Identity of a file's content: sha-256 as hex. The same content under another name is the same source. FILE_UNREADABLE. */
export async function contentHash(file: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of chunksOf(file)) hash.update(chunk)
  return hash.digest('hex')
}

function formatOf(file: string): InputFormat {
  if (file === standardInput || /\.(ndjson|jsonl)$/i.test(file)) return 'ndjson'
  if (/\.json$/i.test(file)) return 'json'
  if (/\.csv$/i.test(file)) return 'csv'
  throw new StreamError(
    'USAGE',
    { file, reason: 'the name does not say what is in the file' },
    { fix: `add --format ${inputFormats.join(', ')}` },
  )
}

async function* chunksOf(file: string, stop?: AbortSignal): AsyncIterable<Uint8Array> {
  const stream: Readable = file === standardInput ? process.stdin : createReadStream(file, { highWaterMark: 1 << 18 })
  if (stop !== undefined) addAbortSignal(stop, stream)
  try {
    yield* stream
  } catch (cause) {
    if (stop?.aborted) throw cause
    throw fileUnreadable(file, cause as NodeJS.ErrnoException)
  }
}

async function* counted(chunks: AsyncIterable<Uint8Array>, onBytes: ((bytes: number) => void) | undefined): AsyncIterable<Uint8Array> {
  let bytes = 0
  for await (const chunk of chunks) {
    bytes += chunk.length
    onBytes?.(bytes)
    yield chunk
  }
}
