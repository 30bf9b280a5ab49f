import { z } from 'zod'
import { StreamError } from '../engine/errors.ts'
import { embeddedLogDefaults } from '../engine/log/embedded/settings.ts'
import { defaultRuntimeSettings } from '../engine/runtime/settings.ts'

const { sliceRecordsMax, readAheadBytesMax, chunkBytes, outputsMax, commitsInFlightMax, maxDriftMs, checkpointEveryMs, stepMs } =
  defaultRuntimeSettings
const bytes = z.number().int().positive()
const count = z.number().int().positive()
const ms = z.number().nonnegative()

/** What an operator can tune with `--set name=value`; the defaults are meant to do. */
export const runtimeSettings = z.strictObject({
  sliceRecordsMax: count
    .max(1 << 20)
    .default(sliceRecordsMax)
    .describe('Records a slice takes at most'),
  readAheadBytesMax: bytes.default(readAheadBytesMax).describe('Bytes read ahead of each input partition'),
  chunkBytes: bytes
    .max(8 << 20)
    .default(chunkBytes)
    .describe('Bytes asked for in one read'),
  outputsMax: count.default(outputsMax).describe('Results a slice emits before the rest waits for the next one'),
  commitsInFlightMax: count.max(16).default(commitsInFlightMax).describe('Commits of a task under way at once'),
  maxDriftMs: ms.default(maxDriftMs).describe('Event time a partition may be ahead of the slowest one before it waits'),
  checkpointEveryMs: ms.default(checkpointEveryMs).describe('Time between checkpoints of a task'),
  stepMs: ms.max(1000).default(stepMs).describe('Time for checkpoint work between two slices'),
})

export const logSettings = z.strictObject({
  logFileBytes: bytes
    .min(1 << 16)
    .default(embeddedLogDefaults.logFileBytes)
    .describe('Size at which a log file is closed and rewritten into segments'),
  rewriteBacklogBytesMax: bytes
    .default(embeddedLogDefaults.rewriteBacklogBytesMax)
    .describe('Log files not yet rewritten; above it commits wait'),
  quietAfterMs: ms.min(1).default(embeddedLogDefaults.quietAfterMs).describe('A quiet frame is written after this long without a commit'),
  scrubBytesPerSecond: z
    .number()
    .int()
    .nonnegative()
    .default(embeddedLogDefaults.scrubBytesPerSecond)
    .describe('The whole log is read and checked in the background, at most so fast; 0: never'),
  scrubEveryMs: ms.default(embeddedLogDefaults.scrubEveryMs).describe('Pause between two such rounds; 0: never'),
  clockAheadAccepted: z
    .boolean()
    .default(false)
    .describe('Go on although the last append time is far ahead of the clock (see LOG_CLOCK_AHEAD)'),
})

export const stateSettings = z.strictObject({
  mergeBytesMin: bytes.default(1 << 20).describe('Deltas of a checkpoint are not merged into its base below this size'),
})

export interface Settings {
  readonly runtime: z.infer<typeof runtimeSettings>
  readonly state: z.infer<typeof stateSettings>
  readonly log: z.infer<typeof logSettings>
}

/** @param pairs `name=value` texts. Errors: USAGE, naming the setting and its bounds. */
export function parseSettings(pairs: readonly string[]): Settings {
  const runtime: Record<string, unknown> = {}
  const state: Record<string, unknown> = {}
  const log: Record<string, unknown> = {}
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    const name = pair.slice(0, at)
    const value = pair.slice(at + 1)
    const has = ({ shape }: z.ZodObject) => Object.hasOwn(shape, name)
    const target = has(runtimeSettings) ? runtime : has(stateSettings) ? state : has(logSettings) ? log : undefined
    if (at < 1 || target === undefined) {
      const known = [runtimeSettings, stateSettings, logSettings].flatMap(({ shape }) => Object.keys(shape)).join(', ')
      throw new StreamError('USAGE', { reason: `--set ${pair}: there is no such setting` }, { fix: `one of ${known}` })
    }
    target[name] = value === 'true' || value === 'false' ? value === 'true' : Number(value)
  }
  return { runtime: parsed(runtimeSettings, runtime), state: parsed(stateSettings, state), log: parsed(logSettings, log) }
}

function parsed<S extends z.ZodObject>(schema: S, values: unknown): z.infer<S> {
  const { success, data, error } = schema.safeParse(values)
  if (success) return data
  const name = String(error.issues[0]!.path[0])
  const fix = `${name} is ${allowedText(schema.shape[name] as z.ZodType)}`
  throw new StreamError('USAGE', { reason: `--set ${name}: the value is not allowed` }, { fix })
}

function allowedText(setting: z.ZodType): string {
  const { type, minimum, exclusiveMinimum, maximum } = z.toJSONSchema(setting)
  if (type === 'boolean') return 'true or false'
  const above = exclusiveMinimum === undefined ? '' : ` above ${exclusiveMinimum}`
  const from = minimum === undefined ? above : ` from ${minimum}`
  const bounded = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER
  return `a ${type === 'integer' ? 'whole number' : 'number'}${from}${bounded ? `${from.startsWith(' from') ? '' : ' up'} to ${maximum}` : ''}`
}
