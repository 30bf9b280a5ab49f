import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ApiClient } from '../../deploy/client/api-client.ts'
import { openJobFile } from '../../deploy/load-job-file.ts'
import { withLogView } from '../../deploy/open-existing-log.ts'
import type { AuditRow } from '../../deploy/server/audit-log.ts'
import { readRecords } from '../../engine/log/read-records.ts'
import { silentLogger } from '../../engine/ports/world.ts'
import { reprise } from './command-line.ts'
import { ServerProcess } from './server-process.ts'

const dir = mkdtempSync(join(tmpdir(), 'reprise-tokens-'))
const data = join(dir, 'data')
const secrets: Record<string, string> = {}
let server: ServerProcess

const cli = (...args: string[]) => reprise(args, { env: { REPRISE_SERVER: server.url }, cwd: dir })

beforeAll(async () => {
  server = await ServerProcess.on(data, ['--require-tokens', '--quiet'])
  const made = await reprise(['token', 'create', 'admin', '--scope', 'admin', '--data', data])
  expect(made.stdout).toMatch(/^rep_[\w-]{43}\n$/)
  expect(made.stderr).toContain('it is shown once')
  writeFileSync(join(dir, 'admin.token'), made.stdout)
  secrets.admin = made.stdout.trim()
  await server.start()
  for (const scope of ['viewer', 'operator', 'deployer']) {
    const { stdout, stderr, code } = await cli(
      'token',
      'create',
      scope,
      '--scope',
      scope,
      '--expires',
      '1h',
      '--token-file',
      'admin.token',
      '--json',
    )
    expect(code, stderr).toBe(0)
    secrets[scope] = (JSON.parse(stdout) as { token: string }).token
  }
})
afterAll(async () => {
  const { code, stderr } = await server.stop()
  rmSync(dir, { recursive: true, force: true })
  expect(code, stderr).toBe(0)
})

function clientWith(token: string | undefined): ApiClient {
  return new ApiClient({ url: server.url, user: undefined, token, timeoutMs: 10_000 })
}

function call(method: string, path: string, token?: string): Promise<Response> {
  const headers = {
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(method === 'POST' ? { 'content-type': 'application/json' } : {}),
  }
  return fetch(server.url + path, { method, headers, ...(method === 'POST' ? { body: '{}' } : {}), signal: AbortSignal.timeout(5000) })
}

const audited = async () => (await clientWith(secrets.admin).get<{ items: AuditRow[] }>('/api/v1/audit?limit=1000')).items

/** What each scope may call beside what only reads, which all may. */
const needed: Record<string, string> = {
  'POST /api/v1/backups': 'admin',
  'POST /api/v1/plan': 'deployer',
  'POST /api/v1/versions': 'deployer',
  'GET /api/v1/audit': 'admin',
  'GET /api/v1/tokens': 'admin',
  'POST /api/v1/tokens': 'admin',
  'DELETE /api/v1/tokens/{name}': 'admin',
}

describe('every route', () => {
  test('refuses a call without a token, with a wrong one, and with one of another scope; who is let in is refused for another reason or served', async () => {
    const document = (await (await call('GET', '/openapi.json', secrets.viewer)).json()) as {
      paths: Record<string, Record<string, { security?: object[] }>>
    }
    const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods)
        .filter(([, { security }]) => security?.length !== 0)
        .map(([method]) => [method.toUpperCase(), path] as const),
    )
    routes.push(['GET', '/openapi.json'])
    expect(routes).toContainEqual(['GET', '/metrics'])
    expect(routes.length).toBeGreaterThan(25)
    // Those that fail are counted together: the bound has a test of its own.
    const refusals = routes.slice(0, 8)
    for (const [method, path] of refusals) {
      expect([method, path, (await call(method, path)).status]).toEqual([method, path, 401])
      expect([method, path, (await call(method, path, 'rep_wrong')).status]).toEqual([method, path, 401])
    }
    for (const [method, path] of routes) {
      const scope = needed[`${method} ${path}`] ?? (method === 'GET' ? 'viewer' : 'operator')
      for (const [name, secret] of Object.entries(secrets)) {
        if (method === 'GET' && path.endsWith('/follow')) continue
        const { status } = await call(method, path, secret)
        const letIn = scope === 'viewer' || name === scope || name === 'admin'
        expect([method, path, name, status === 403, status === 401]).toEqual([method, path, name, !letIn, false])
      }
    }
  })

  test('those that tell whether the server lives need none', async () => {
    const document = (await (await call('GET', '/openapi.json', secrets.viewer)).json()) as {
      security: object[]
      paths: Record<string, Record<string, { security?: object[] }>>
    }
    expect(document.security).toEqual([{ token: [] }])
    const open = Object.entries(document.paths).filter(([, methods]) => methods.get?.security?.length === 0)
    expect(open.map(([path]) => path)).toEqual(['/livez', '/healthz', '/readyz'])
    for (const [path] of open) expect([path, (await call('GET', path)).status]).toEqual([path, 200])
  })

  test('what was refused is in the audit log, with the name of the token', async () => {
    expect((await call('POST', '/api/v1/jobs/shop/promote', secrets.viewer)).status).toBe(403)
    expect((await audited())[0]).toMatchObject({ by: 'token viewer', path: '/api/v1/jobs/shop/promote', status: 403 })
    expect((await call('POST', '/api/v1/topics/shop/records', secrets.viewer)).status).toBe(403)
    expect((await audited())[0]).toMatchObject({ by: 'token viewer', path: '/api/v1/topics/shop/records', status: 403 })
  })
})

test('the command line says who is missing, and ends with 7', async () => {
  const none = await cli('jobs')
  expect([none.code, none.stderr]).toEqual([7, expect.stringContaining('UNAUTHENTICATED')])
  expect(none.stderr).toContain('--token-file')
  writeFileSync(join(dir, 'viewer.token'), `${secrets.viewer}\n`)
  expect((await cli('jobs', '--token-file', 'viewer.token')).code).toBe(0)
  expect((await reprise(['jobs'], { env: { REPRISE_SERVER: server.url, REPRISE_TOKEN: secrets.viewer! } })).code).toBe(0)
  const denied = await cli('token', 'ls', '--token-file', 'viewer.token')
  expect([denied.code, denied.stderr]).toEqual([7, expect.stringContaining('FORBIDDEN')])
  expect((await cli('jobs', '--token-file', 'nobody.token')).code).toBe(5)
  writeFileSync(join(dir, 'two.token'), 'rep_a\nrep_b\n')
  expect((await cli('jobs', '--token-file', 'two.token')).code).toBe(2)
})

test('a token that is revoked or over is none from then on, also for who follows a topic; what is kept is not the token', async () => {
  const admin = clientWith(secrets.admin)
  await admin.post('/api/v1/topics/orders/records', { n: 1 })
  const { token } = await admin.post<{ token: string }>('/api/v1/tokens', { name: 'leaver', scopes: ['viewer'] })
  const following = await fetch(`${server.url}/api/v1/topics/orders/follow`, {
    headers: { authorization: `Bearer ${token}` },
    // There is nothing to tell yet: it is answered all the same.
    signal: AbortSignal.timeout(10_000),
  })
  expect(following.status).toBe(200)
  const revoked = await cli('token', 'revoke', 'leaver', '--yes', '--token-file', 'admin.token')
  expect([revoked.code, revoked.stdout]).toEqual([0, 'leaver is revoked\n'])
  expect(await following.text()).toContain('event: bye')
  await expect(clientWith(token).get('/api/v1/jobs')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  expect((await cli('token', 'revoke', 'leaver', '--yes', '--token-file', 'admin.token')).code).toBe(5)

  const { token: short } = await admin.post<{ token: string }>('/api/v1/tokens', { name: 'short', scopes: ['viewer'], expiresInMs: 300 })
  await new Promise((resolve) => setTimeout(resolve, 400))
  await expect(clientWith(short).get('/api/v1/jobs')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' })
  await expect(admin.post('/api/v1/tokens', { name: 'short', scopes: ['viewer'] })).rejects.toMatchObject({ code: 'TOKEN_EXISTS' })
  const listed = await cli('token', 'ls', '--token-file', 'admin.token')
  expect(listed.stdout).toMatch(/short +viewer .*\(over\)/)
  expect(listed.stdout).not.toContain('leaver')

  const stored = await withLogView(data, async (log) => {
    let text = ''
    for await (const { value } of readRecords(log, 'reprise.tokens', 0, 0)) text += Buffer.from(value!).toString()
    return text
  })
  expect(stored).toContain('"sha256"')
  for (const secret of [...Object.values(secrets), token, short]) expect(stored).not.toContain(secret)
})

test('topics of the server itself, with bundles and hashes of tokens, are for admins only', async () => {
  for (const path of ['records', 'follow']) {
    const { status } = await call('GET', `/api/v1/topics/reprise.tokens/${path}`, secrets.operator)
    expect(status).toBe(403)
  }
  expect((await call('GET', '/api/v1/topics/reprise.tokens/records', secrets.admin)).status).toBe(200)
  expect((await call('GET', '/api/v1/topics/orders/records', secrets.viewer)).status).toBe(200)
})

test('to deploy is not to promote: a deployer may not have a version publish by itself', async () => {
  const file = join(dir, 'job.ts')
  writeFileSync(
    file,
    `import { defineJob, topic } from 'reprise'
     export default defineJob('shop', (job) => { job.from(topic('orders', { codec: 'json' })).to(topic('out', { codec: 'json' })) })`,
  )
  const { bundle } = await openJobFile(file, silentLogger)
  const deployer = clientWith(secrets.deployer)
  await expect(deployer.post('/api/v1/versions', { bundle, promote: 'auto' })).rejects.toMatchObject({ code: 'FORBIDDEN' })
  await deployer.post('/api/v1/versions', { bundle })
  await expect(deployer.post('/api/v1/jobs/shop/pause', {})).rejects.toMatchObject({ code: 'FORBIDDEN' })
})

test('an answer is not given again to who may not ask', async () => {
  const path = '/api/v1/jobs/nobody/pause'
  const keyed = (token: string | undefined) =>
    fetch(server.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'k1', ...(token && { authorization: `Bearer ${token}` }) },
      body: '{}',
    })
  expect((await keyed(secrets.viewer)).status).toBe(403)
  expect((await keyed(secrets.operator)).status).toBe(404)
  const again = await keyed(secrets.operator)
  expect([again.status, again.headers.get('idempotent-replay')]).toEqual([404, 'true'])
  expect((await keyed(secrets.viewer)).status).toBe(403)
})

test('after many calls without a valid one there are no more answers, and no more rows; who has a valid one goes on', async () => {
  const statuses = new Set<number>()
  for (let i = 0; i < 40; i++) statuses.add((await call('POST', '/api/v1/jobs/x/pause', `rep_${i}`)).status)
  expect(statuses).toContain(429)
  const before = (await audited()).length
  const refused = await call('POST', '/api/v1/jobs/x/pause', 'rep_again')
  expect([refused.status, Number(refused.headers.get('retry-after')) > 0]).toEqual([429, true])
  expect(await audited()).toHaveLength(before)
  expect((await call('GET', '/api/v1/jobs', secrets.viewer)).status).toBe(200)
  expect(await (await call('GET', '/metrics', secrets.viewer)).text()).toMatch(/reprise_auth_failures_total{reason="forbidden"} [1-9]/)
})

describe('a server that others reach', () => {
  test('does not start without a token that could make others, and says how to get one', async () => {
    const empty = join(dir, 'empty')
    for (const flags of [['--host', '0.0.0.0'], ['--require-tokens']]) {
      const { code, stderr } = await reprise(['server', '--data', empty, '--port', '0', ...flags], { timeoutMs: 20_000 })
      expect(code).toBe(2)
      expect(stderr).toContain(`reprise token create admin --scope admin --data ${empty}`)
    }
  })

  test('a directory that a server runs on makes no tokens behind its back', async () => {
    const { code, stderr } = await reprise(['token', 'create', 'x', '--scope', 'viewer', '--data', data])
    expect([code, stderr]).toEqual([3, expect.stringContaining('LOG_LOCKED')])
  })

  test('what is not a scope is refused', async () => {
    expect((await cli('token', 'create', 'x', '--scope', 'root', '--token-file', 'admin.token')).code).toBe(2)
    expect((await cli('token', 'create', 'x', '--token-file', 'admin.token')).code).toBe(2)
    expect((await cli('token', 'create', '../x', '--scope', 'viewer', '--token-file', 'admin.token')).code).toBe(2)
  })
})
