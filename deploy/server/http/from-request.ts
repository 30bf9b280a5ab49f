import { z } from 'zod'
import type { From } from '../starts.ts'

/** Where a replay is to begin, as a client says it. */
export const fromRequest = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('zero') }),
  z.strictObject({ type: z.literal('earliest-available') }).describe('What retention has left'),
  z.strictObject({ type: z.literal('timestamp'), at: z.iso.datetime({ offset: true }) }).describe('Records appended then or later'),
  z
    .strictObject({ type: z.literal('offsets'), offsets: z.record(z.string().max(300), z.number().int().nonnegative()) })
    .describe('By source partition, as flights/0; 0 where none is named'),
])

export function fromOf(request: z.infer<typeof fromRequest>): From {
  return request.type === 'timestamp' ? { type: 'timestamp', at: Date.parse(request.at) } : request
}
