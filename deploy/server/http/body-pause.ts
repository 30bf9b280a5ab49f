import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { StreamError } from '../../../engine/errors.ts'
import { Refusal } from './problem.ts'

/** For how long a body may send nothing while it is waited for. */
export const bodyPauseMsMax = 300_000
/** Who was answered before the end of the body has so long to send the rest, which nobody reads. */
const restOfBodyMs = 60_000

/** A body may come for as long as it likes, as slowly as the log takes it, but not stand still, nor go on when the server is to stop. */
export function limitPauses(app: FastifyInstance, pauseMsMax: number, leaving: AbortSignal): void {
  app.addHook('preParsing', async ({ headers }, _reply, payload) => {
    const empty = headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0
    return empty ? payload : Readable.from(withoutLongPause(payload as Readable, pauseMsMax, leaving))
  })
  app.addHook('onResponse', async ({ raw }) => {
    if (raw.complete || raw.destroyed) return
    const cut = setTimeout(() => raw.destroy(), restOfBodyMs)
    cut.unref()
    for (const over of ['end', 'close']) raw.once(over, () => clearTimeout(cut))
  })
}

/** Errors: REQUEST_TIMED_OUT where the next chunk is not there in time; time in which nobody asks for it does not count. SERVER_STOPPING. */
export async function* withoutLongPause(body: Readable, pauseMsMax: number, leaving: AbortSignal): AsyncGenerator<Uint8Array> {
  // Left before its end it stays open: the answer goes the same way.
  const chunks = body.iterator({ destroyOnReturn: false })
  for (;;) {
    let timer: NodeJS.Timeout | undefined
    let leave = () => {}
    const noMore = new Promise<never>((_, reject) => {
      const late = () => reject(new StreamError('REQUEST_TIMED_OUT', { pauseMsMax }, { fix: 'send it again from where it stood still' }))
      timer = setTimeout(late, pauseMsMax)
      leave = () => reject(new StreamError('SERVER_STOPPING', {}, { fix: 'send the rest when it is there again' }))
      if (leaving.aborted) leave()
      leaving.addEventListener('abort', leave)
    })
    try {
      const { done, value } = await Promise.race([chunks.next(), noMore])
      if (done) return
      yield value as Uint8Array
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ECONNRESET') throw new Refusal(400, 'the client left before the end of the body')
      throw error
    } finally {
      clearTimeout(timer)
      leaving.removeEventListener('abort', leave)
    }
  }
}
