import { z } from 'zod'
import type { Asked } from '../../../replay/cut-over.ts'

/** What the routes of a job have in common. */
export const ofJob = z.strictObject({ job: z.string().max(249) })
export const versionNumber = z.number().int().positive()
export const reason = z.string().max(500).optional()

export function askedOf(by: string, reason: string | undefined): Asked {
  return { by, ...(reason === undefined ? {} : { reason }) }
}
