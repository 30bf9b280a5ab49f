import { z } from 'zod'

/** What a new version takes a second at most, from its first record on. */
export const rateRequest = z
  .strictObject({
    recordsPerSecond: z.number().positive().nullable().optional(),
    bytesPerSecond: z.number().positive().nullable().optional().describe('As the log holds them'),
  })
  .optional()
  .describe('What the version takes a second at most, from the start; a limit that is not named: as many as it can')
