import { z } from 'zod'

const ms = z
  .number()
  .int()
  .nonnegative()
  .max(365 * 86_400_000)

/** When a version counts as caught up, as far as it is not to be as the server says. */
export const policyRequest = z
  .strictObject({
    maxLagRecords: z.number().int().nonnegative().describe('At most so many records behind'),
    maxLagMs: ms.describe('The oldest record that waits is at most so old'),
    holdMs: ms.describe('Within both for so long without a break'),
    deadlineMs: ms.describe('A candidate that has not caught up by then is stopped; counted since it was deployed or resumed'),
  })
  .partial()
  .optional()
  .describe('When it counts as caught up; what is left out is as the server says')
