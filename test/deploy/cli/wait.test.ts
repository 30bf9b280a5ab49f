import { expect, test } from 'vitest'
import { exitCodeOf } from '../../../deploy/cli/exit-code.ts'
import { caughtUp } from '../../../deploy/cli/wait.ts'
import type { ApiClient } from '../../../deploy/client/api-client.ts'
import { type ErrorCode, StreamError } from '../../../engine/errors.ts'
import { reprise } from './fake-terminal.ts'

const gates = [{ name: 'running', pass: false }]

/** The outcome where the server says this of the version. */
async function waited(view: { role: string; phase: string | null; health: string }): Promise<string> {
  const client = { get: async () => ({ versions: [{ version: 2, reason: null, gates, ...view }] }) }
  try {
    await caughtUp(client as unknown as ApiClient, 'delays', 2, 0)
    return 'caught up'
  } catch (error) {
    return (error as { code: string }).code
  }
}

test.each([
  ['candidate', 'caught-up', 'running', 'caught up'],
  ['candidate', 'caught-up', 'paused', 'WAIT_TIMED_OUT'],
  ['standby', 'caught-up', 'paused', 'WAIT_TIMED_OUT'],
  ['candidate', 'replaying', 'running', 'WAIT_TIMED_OUT'],
  ['candidate', 'replaying', 'stopped', 'VERSION_STATE'],
  ['active', null, 'running', 'caught up'],
  ['active', null, 'paused', 'WAIT_TIMED_OUT'],
  ['active', null, 'stopped', 'VERSION_STATE'],
  ['retired', null, 'running', 'VERSION_STATE'],
])('%s, %s, %s: %s', async (role, phase, health, outcome) => {
  expect(await waited({ role, phase, health })).toBe(outcome)
})

test('its help names the exit codes', async () => {
  const { out } = await reprise('wait --help')
  const code = (error: ErrorCode) => exitCodeOf(new StreamError(error))
  expect(out.replaceAll(/\s+/g, ' ')).toContain(
    `exit code 0; ${code('WAIT_TIMED_OUT')} when it did not in time, ${code('VERSION_STATE')} when it was stopped`,
  )
})
