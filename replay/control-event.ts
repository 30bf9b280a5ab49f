import { z } from 'zod'

const version = z.number().int().positive()
/** Who asked for it, and why; absent where the engine decided by itself. */
const asked = { at: z.number(), by: z.string().optional(), reason: z.string().optional() }

const place = z.object({ topic: z.string(), partition: z.number(), offset: z.number() })

/** When a version counts as caught up, as far as that was said for it: see CatchUpPolicy. */
const catchUpPolicy = z.object({ maxLagRecords: z.number(), maxLagMs: z.number(), holdMs: z.number(), deadlineMs: z.number() }).partial()

/** What a version takes a second at most; null: as much as it can. */
const limit = z.number().positive().nullable()

/** What was decided about a job, oldest first, in its topic `<job>.control`. The present state is a fold over it. */
export const controlEvent = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('registered'),
    ...asked,
    version,
    /** Of the bundle's text. */
    sha256: z.string(),
    parallelism: z.number(),
    fingerprint: z.string(),
    /** auto: it takes over by itself once it meets all conditions. */
    promote: z.enum(['manual', 'auto']).optional(),
    /** The offset it begins with, by source partition, where that is not 0. */
    starts: z.record(z.string(), z.number()).optional(),
    policy: catchUpPolicy.optional(),
    /** From its first record on. */
    rate: z.object({ recordsPerSecond: limit, bytesPerSecond: limit }).partial().optional(),
  }),
  z.object({ type: z.literal('policySet'), ...asked, version, policy: catchUpPolicy }),
  /** For the first time. */
  z.object({ type: z.literal('caughtUp'), ...asked, version }),
  /** The owner stands still at its next slice's end, the version that is to follow it at the same positions. */
  z.object({ type: z.literal('holdRequested'), ...asked, id: z.string(), from: version, to: version }),
  /** Tasks of the owner stand still at different times: all of them give, for all to see, what is due by the latest, and stand still there. */
  z.object({ type: z.literal('holdLevelled'), ...asked, id: z.string(), watermark: z.number().nullable(), processing: z.number() }),
  /** Nothing was decided; all go on as before. */
  z.object({ type: z.literal('holdAborted'), ...asked, id: z.string() }),
  /** From here on `to` publishes. */
  z.object({
    type: z.literal('cutOver'),
    ...asked,
    id: z.string(),
    from: version,
    to: version,
    /** Next offset by source partition: what `from` has published is of the input before. */
    positions: z.record(z.string(), z.number()),
    /** What was due by these times has been published by `from`; null: nothing was. */
    watermark: z.number().nullable(),
    processing: z.number(),
    /** End of each public partition, and of the private ones of `from`. */
    ends: z.record(z.string(), z.number()),
    /** From asking for the hold to this record: how long the owner stood still at most. */
    heldMs: z.number().optional(),
    /** In which words the versions differ in how they cut time: results of windows that were open then are as one of them saw them. */
    seam: z.array(z.string()).optional(),
  }),
  /** It takes no input until it is resumed. */
  z.object({
    type: z.literal('paused'),
    ...asked,
    version,
    /** It was asked for as a rate: another rate ends it. */
    rate: z.literal(0).optional(),
  }),
  z.object({ type: z.literal('resumed'), ...asked, version }),
  /** What it takes a second at most; null: as much as it can. */
  z.object({
    type: z.literal('rateSet'),
    ...asked,
    version,
    recordsPerSecond: limit,
    bytesPerSecond: limit.optional(),
  }),
  /** It passes this record over, and sets it aside. */
  z.object({ type: z.literal('skipped'), ...asked, version, ...place.shape }),
  /** It could not go on; at which record, where that is known. */
  z.object({ type: z.literal('stopped'), ...asked, version, code: z.string(), record: place.optional() }),
  /** It will never publish again, and all it had is removed: a candidate that was given up, or a version whose time to go back to is over. */
  z.object({ type: z.literal('aborted'), ...asked, version }),
  z.object({ type: z.literal('retired'), ...asked, version }),
  /** No more input comes for this job; its sources take none. */
  z.object({ type: z.literal('sealed'), ...asked, version, sources: z.array(z.string()) }),
])
export type ControlEvent = z.infer<typeof controlEvent>
export type Place = z.infer<typeof place>
export type CutOver = Extract<ControlEvent, { type: 'cutOver' }>
