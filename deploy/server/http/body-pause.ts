import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { StreamError } from '../../../engine/errors.ts'
import { Refusal } from './problem.ts'

/** For how long a body may send nothing while it is waited for. */
export const bodyPauseMsMax = 300_000
/** Who was answered before the end of the body has so long to send the rest, which nobody reads. */
const restOfBodyMs = 60_000

/** A body may come for as long as it likes, as slowly as the log takes it, but not stand still. */
export function limitPauses(app: FastifyInstance, pauseMsMax: number): void {
  app.addHook('preParsing', async ({ headers }, _reply, payload) => {
    const empty = headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0
    return empty ? payload : Readable.from(withoutLongPause(payload as Readable, pauseMsMax))
  })
  app.addHook('onResponse', async ({ raw }) => {
    if (raw.complete || raw.destroyed) return
    const cut = setTimeout(() => raw.destroy(), restOfBodyMs)
    cut.unref()
    for (const over of ['end', 'close']) raw.once(over, () => clearTimeout(cut))
  })
}

/** Errors: REQUEST_TIMED_OUT where the next chunk is not there in time; time in which nobody asks for it does not count. */
export async function* withoutLongPause(body: Readable, pauseMsMax: number): AsyncGenerator<Uint8Array> {
  // Left before its end it stays open: the answer goes the same way.
  const chunks = body.iterator({ destroyOnReturn: false })
  for (;;) {
    let timer: NodeJS.Timeout | undefined
    const tooLong = new Promise<never>((_, reject) => {
      const late = () => reject(new StreamError('REQUEST_TIMED_OUT', { pauseMsMax }, { fix: 'send it again from where it stood still' }))
      timer = setTimeout(late, pauseMsMax)
    })
    try {
      const { done, value } = await Promise.race([chunks.next(), tooLong])
      if (done) return
      yield value as Uint8Array
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') throw new Refusal(400, 'the client left before the end of the body')
      throw error
    } finally {
      clearTimeout(timer)
    }
  }
}
