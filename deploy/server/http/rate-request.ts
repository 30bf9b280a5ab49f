import { z } from 'zod'
import type { RateLimits } from '../../../replay/pace.ts'

/** What a new version takes a second at most, from its first record on. */
export const rateRequest = z
  .strictObject({
    recordsPerSecond: z.number().positive().nullable().optional(),
    bytesPerSecond: z.number().positive().nullable().optional().describe('As the log holds them'),
  })
  .optional()
  .describe('What the version takes a second at most, from the start; a limit that is not named: as many as it can')

/** The limits that were named. */
export function limitsOf({ recordsPerSecond, bytesPerSecond }: NonNullable<z.infer<typeof rateRequest>>): Partial<RateLimits> {
  return { ...(recordsPerSecond === undefined ? {} : { recordsPerSecond }), ...(bytesPerSecond === undefined ? {} : { bytesPerSecond }) }
}
