import { describe, expect, test } from 'vitest'
import { FailedGuesses } from '../../../deploy/server/http/failed-guesses.ts'
import { Tokens } from '../../../deploy/server/tokens.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'
import { readRecords } from '../../../engine/log/read-records.ts'
import { SimClock } from '../../support/sim-clock.ts'

describe('tokens', () => {
  test('are found by what was shown once; after a restart too, and nothing else is kept', async () => {
    const { log, clock } = world()
    const tokens = await Tokens.open(log, clock)
    const ann = await tokens.create({ name: 'ann', scopes: ['viewer', 'operator'] }, 'root')
    const bob = await tokens.create({ name: 'bob', scopes: ['admin'] }, 'root')
    expect(ann).not.toBe(bob)
    await expect(tokens.create({ name: 'ann', scopes: ['admin'] }, 'root')).rejects.toMatchObject({ code: 'TOKEN_EXISTS' })
    for (const some of [tokens, await Tokens.open(log, clock)]) {
      expect(some.find(ann)).toMatchObject({ name: 'ann', scopes: ['viewer', 'operator'], by: 'root' })
      expect(some.find(bob)?.name).toBe('bob')
      expect([some.find(''), some.find(`${ann}x`), some.find(ann.slice(0, -1))]).toEqual([undefined, undefined, undefined])
    }
    for await (const { value } of readRecords(log, 'reprise.tokens', 0, 0)) {
      expect(Buffer.from(value!).toString()).not.toContain(ann)
      expect(Buffer.from(value!).toString()).not.toContain(bob)
    }
  })

  test('end when they are over, to the millisecond, and when they are revoked, for good', async () => {
    const { log, clock } = world()
    const tokens = await Tokens.open(log, clock)
    const short = await tokens.create({ name: 'short', scopes: ['admin'], expiresAt: clock.now() + 1000 }, 'root')
    const held = tokens.find(short)!
    clock.advance(999)
    expect([tokens.find(short)?.name, tokens.isValid(held), tokens.hasAdmin]).toEqual(['short', true, true])
    clock.advance(1)
    expect([tokens.find(short), tokens.isValid(held), tokens.hasAdmin]).toEqual([undefined, false, false])

    const first = await tokens.create({ name: 'ann', scopes: ['viewer'] }, 'root')
    const before = tokens.find(first)!
    await tokens.revoke('ann', 'root')
    const second = await tokens.create({ name: 'ann', scopes: ['viewer'] }, 'root')
    for (const some of [tokens, await Tokens.open(log, clock)])
      expect([some.find(first), some.find(second)?.name]).toEqual([undefined, 'ann'])
    // One of the same name is another one.
    expect(tokens.isValid(before)).toBe(false)
    await expect(tokens.revoke('nobody', 'root')).rejects.toMatchObject({ code: 'TOKEN_UNKNOWN' })
  })

  test('of one name are made once, also by two who ask at the same time; revoked once too', async () => {
    const { log, clock } = world()
    const tokens = await Tokens.open(log, clock)
    const make = () => tokens.create({ name: 'ann', scopes: ['viewer'] }, 'root')
    const [first, second] = await Promise.allSettled([make(), make()])
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'TOKEN_EXISTS' } })
    expect(tokens.find((first as PromiseFulfilledResult<string>).value)?.name).toBe('ann')
    const [gone, again] = await Promise.allSettled([tokens.revoke('ann', 'root'), tokens.revoke('ann', 'root')])
    expect(gone.status).toBe('fulfilled')
    expect(again).toMatchObject({ status: 'rejected', reason: { code: 'TOKEN_UNKNOWN' } })
  })
})

test('of calls without a valid token twenty within a minute are answered, for each address', () => {
  let now = 1000
  const guesses = new FailedGuesses(() => now)
  for (let i = 0; i < 20; i++) expect(guesses.failed('a')).toBe(0)
  now += 30_000
  expect([guesses.failed('a'), guesses.failed('b')]).toEqual([30, 0])
  now += 30_000
  expect(guesses.failed('a')).toBe(0)
})

function world() {
  const clock = new SimClock()
  return { clock, log: new MemoryLog({ clock }) }
}
