import { expect, test } from 'vitest'
import { KnownAnswers } from '../../../deploy/server/known-answers.ts'
import { TopicAppender } from '../../../deploy/topic-appender.ts'
import { MemoryLog } from '../../../engine/log/memory/memory-log.ts'
import { readRecords } from '../../../engine/log/read-records.ts'
import { FaultyLog, noFaults } from '../../support/faulty-log.ts'
import { SimClock } from '../../support/sim-clock.ts'

const answer = (key: string, length = 10) => ({ key, body: 'b', status: 200, headers: { location: '/x' }, payload: 'p'.repeat(length) })

test('an answer that was kept is known to the next process, with what it said; one that holds a secret is not, and stands nowhere', async () => {
  const { log, clock } = world()
  const answers = await KnownAnswers.open(log, clock)
  await answers.keep(answer('a'))
  answers.remember({ ...answer('b'), payload: 'a secret' })
  await answers.keep(answer('c'))
  expect(answers.get('b')?.payload).toBe('a secret')
  const next = await KnownAnswers.open(log, clock)
  expect(['a', 'b', 'c'].map((key) => next.get(key))).toEqual([answer('a'), undefined, answer('c')])
  for await (const { value } of readRecords(log, 'reprise.answers', 0, 0)) expect(Buffer.from(value!).toString()).not.toContain('secret')
})

test('an answer of another form is as one that was forgotten', async () => {
  const { log, clock } = world()
  await (await KnownAnswers.open(log, clock)).keep(answer('a'))
  await new TopicAppender(log, 'reprise.answers', 'another').append([{ key: null, value: Buffer.from('{"form":2}'), eventTime: 0 }])
  expect((await KnownAnswers.open(log, clock)).get('a')).toEqual(answer('a'))
})

test('the next process has as much in memory as this one: the oldest are forgotten', async () => {
  const { log, clock } = world()
  const answers = await KnownAnswers.open(log, clock, 1000)
  for (const key of ['a', 'b', 'c', 'd']) await answers.keep(answer(key, 400))
  for (const some of [answers, await KnownAnswers.open(log, clock, 1000)])
    expect(['a', 'b', 'c', 'd'].map((key) => some.get(key)?.key)).toEqual([undefined, undefined, 'c', 'd'])
})

test('a key that was forgotten and used again is known by its last answer', async () => {
  const { log, clock } = world()
  const answers = await KnownAnswers.open(log, clock, 1000)
  for (const key of ['a', 'b', 'c']) await answers.keep(answer(key, 400))
  await answers.keep({ ...answer('a', 400), status: 201 })
  const next = await KnownAnswers.open(log, clock, 1300)
  expect(['a', 'b', 'c'].map((key) => next.get(key)?.status)).toEqual([201, 200, 200])
})

test('the log keeps them for a day, and has a bound', async () => {
  const { log, clock } = world()
  await (await KnownAnswers.open(log, clock)).keep(answer('a'))
  expect(log.topic('reprise.answers')).toMatchObject({ kind: 'internal', retentionMs: 86_400_000, retentionBytes: 64 << 20 })
})

test('where the log refuses it an answer is known all the same, for as long as the process is there', async () => {
  const { log, clock } = world()
  const faulty = new FaultyLog(log, { seed: 1, rates: { ...noFaults, commitRefused: 1 } })
  const answers = await KnownAnswers.open(faulty, clock)
  await expect(answers.keep(answer('a'))).rejects.toMatchObject({ code: 'LOG_UNAVAILABLE' })
  expect(answers.get('a')).toEqual(answer('a'))
  faulty.rates = noFaults
  await answers.keep(answer('b'))
  const next = await KnownAnswers.open(log, clock)
  expect([next.get('a'), next.get('b')?.key]).toEqual([undefined, 'b'])
})

function world() {
  const clock = new SimClock()
  return { clock, log: new MemoryLog({ clock }) }
}
