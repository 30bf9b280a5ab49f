import { createHash } from 'node:crypto'
import { z } from 'zod'
import { ByteSink } from '../../engine/block/byte-sink.ts'
import { decodeValue, encodeValue, type MakeDate } from '../../engine/codec/value-codec.ts'
import { StreamError } from '../../engine/errors.ts'
import type { CheckpointStore } from '../../engine/ports/checkpoint-store.ts'
import type { RestorePoint } from '../../engine/ports/state.ts'
import { formatVersion } from './blocks.ts'

const count = z.int().nonnegative()

const fileSchema = z.strictObject({
  name: z.string().regex(/^[A-Za-z0-9._-]+$/),
  kind: z.enum(['base', 'delta']),
  /** The checkpoint whose changes are the last in the file. */
  upTo: z.int().positive(),
  /** The slice of that checkpoint, and the journal's hash there: what the state below is compared by. */
  seq: count,
  hash: z.string(),
  bytes: count,
  records: count,
  sha256: z.string().length(64),
})

const schema = z.strictObject({
  format: z.literal(formatVersion),
  /** Counts a task's checkpoints; never used twice. */
  number: z.int().positive(),
  job: z.string(),
  version: z.int(),
  task: count,
  fingerprint: z.string(),
  semantics: z.int(),
  seq: count,
  hash: z.string(),
  /** The structured value, base64. */
  cursor: z.string(),
  /** Wall time of the cut, epoch ms. */
  cutAt: z.number(),
  /** Which of the two chains of files it is the end of. */
  chain: z.literal([0, 1]),
  /** A base, then deltas over it, oldest first. */
  files: z.array(fileSchema),
})

export type CheckpointFile = z.infer<typeof fileSchema>
export type ChainIndex = 0 | 1
export type Manifest = z.infer<typeof schema>

const prefix = 'checkpoint-'
const digits = 12

export function manifestName(number: number): string {
  return `${prefix}${numberText(number)}`
}

/** Each name is written for one checkpoint and one chain only, so no two checkpoints share a file. */
export function fileName(kind: CheckpointFile['kind'], upTo: number, writtenFor: number, chain: ChainIndex): string {
  return `${kind}-${numberText(upTo)}-${numberText(writtenFor)}${'ab'[chain]}`
}

function numberText(number: number): string {
  return String(number).padStart(digits, '0')
}

/** The number of the checkpoint that a manifest or file was written for; undefined for other names. */
export function numberOf(name: string): number | undefined {
  const found = /^(?:checkpoint|(?:base|delta)-\d+)-(\d+)[ab]?$/.exec(name)
  return found === null ? undefined : Number(found[1])
}

export function isManifest(name: string): boolean {
  return name.startsWith(prefix) && numberOf(name) !== undefined
}

/** JSON on one line, on the next its SHA-256. */
export function manifestBytes(manifest: Manifest): Uint8Array {
  const text = JSON.stringify(schema.parse(manifest))
  return Buffer.from(`${text}\n${sha256(text)}\n`)
}

/**
 * Errors: CHECKPOINT_CORRUPT (missing, damaged, not what its name says), LOG_FORMAT_UNKNOWN (whole, but of another release).
 */
export async function readManifest(files: CheckpointStore, name: string): Promise<Manifest> {
  const fault = (reason: string, cause?: unknown) => new StreamError('CHECKPOINT_CORRUPT', { file: name, reason }, { cause })
  const bytes = await files.read(name, 0, (await files.size(name)) ?? 0)
  if (bytes === null) throw fault('the file is missing')
  const lines = Buffer.from(bytes).toString('utf8').split('\n')
  if (lines.length !== 3 || lines[2] !== '' || sha256(lines[0]!) !== lines[1]) throw fault('it does not match its checksum')
  const json = JSON.parse(lines[0]!) as { format?: unknown }
  if (json.format !== formatVersion) throw new StreamError('LOG_FORMAT_UNKNOWN', { file: name, format: json.format, known: formatVersion })
  const parsed = schema.safeParse(json)
  if (!parsed.success) throw fault('it is not a manifest', parsed.error)
  if (manifestName(parsed.data.number) !== name) throw fault('it belongs to another name')
  return parsed.data
}

export function encodeCursor(cursor: unknown): string {
  const out = new ByteSink()
  encodeValue(cursor, out, 'cursor')
  return out.buf.subarray(0, out.at).toString('base64')
}

export function pointOf(manifest: Manifest, makeDate: MakeDate | undefined): RestorePoint {
  const bytes = Buffer.from(manifest.cursor, 'base64')
  return { seq: manifest.seq, hash: manifest.hash, cursor: decodeValue(bytes, 0, bytes.length, makeDate) }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
