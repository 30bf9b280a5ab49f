import type { FastifyInstance } from 'fastify'
import { pathOf, Refusal } from './problem.ts'

/** Says of a call that no route takes whether it is the path or the method. To be called before the routes are added. */
export function refuseUnknown(app: FastifyInstance): void {
  const routes: { readonly pattern: RegExp; readonly methods: readonly string[] }[] = []
  app.addHook('onRoute', ({ url, method }) => {
    const pattern = url.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]+')
    routes.push({ pattern: new RegExp(`^${pattern}$`), methods: [method].flat() })
  })
  app.setNotFoundHandler(({ method, url }, reply) => {
    const path = pathOf(url)
    const allowed = new Set(routes.flatMap(({ pattern, methods }) => (pattern.test(path) ? methods : [])))
    if (allowed.size === 0) throw new Refusal(404, `there is no ${method} ${path}`, 'GET /openapi.json says what there is')
    const list = [...allowed].sort().join(', ')
    reply.header('allow', list)
    throw new Refusal(405, `there is no ${method} ${path}`, `it takes ${list}`)
  })
}
