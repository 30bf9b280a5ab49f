import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll } from 'vitest'
import { makeApp } from '../../../../deploy/server/http/app.ts'
import { RepriseServer } from '../../../../deploy/server/server.ts'
import { parseSettings } from '../../../../deploy/settings.ts'
import { silentLogger } from '../../../../engine/ports/world.ts'

/** A server in this process for all tests of a file, and an app of its own to send calls into. */
export function serverInProcess(): { server: RepriseServer; app: FastifyInstance } {
  const found = {} as { server: RepriseServer; app: FastifyInstance }
  let folder: string
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'reprise-http-'))
    found.server = await startInProcess(path.join(folder, 'data'))
    found.app = await makeApp(found.server)
  })
  afterAll(async () => {
    await found.app.close()
    await found.server.close()
    await rm(folder, { recursive: true })
  })
  return found
}

export function startInProcess(directory: string): Promise<RepriseServer> {
  return RepriseServer.start({
    directory,
    host: '127.0.0.1',
    port: 0,
    requireTokens: false,
    logger: silentLogger,
    settings: parseSettings([]),
    memoryBytesMax: 1 << 24,
    limits: { heapBytesMax: 1 << 28, externalBytesMax: 1 << 28, watchdogMs: 30_000 },
    diskBytesMax: Number.POSITIVE_INFINITY,
    policy: { maxLagRecords: 1000, maxLagMs: 5000, holdMs: 2000 },
    bakeMs: 1000,
    holdMs: 1000,
    failAt: undefined,
  })
}
