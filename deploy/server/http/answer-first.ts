import type { FastifyInstance, FastifyRequest } from 'fastify'

/** Longer than this the end of the server does not wait for an answer. */
const answerMsMax = 2000

/** Closing the app cuts all connections: not BEFORE calls of these methods are answered. */
export function answerFirst(app: FastifyInstance, methods: ReadonlySet<string>): void {
  const open = new Set<FastifyRequest>()
  let allAnswered = () => {}
  const answered = async (request: FastifyRequest) => {
    open.delete(request)
    if (open.size === 0) allAnswered()
  }
  app.addHook('onRequest', async (request) => {
    if (methods.has(request.method)) open.add(request)
  })
  app.addHook('onResponse', answered)
  app.addHook('onRequestAbort', answered)
  app.addHook('preClose', async () => {
    if (open.size === 0) return
    await new Promise<void>((resolve) => {
      allAnswered = resolve
      setTimeout(resolve, answerMsMax).unref()
    })
  })
}
