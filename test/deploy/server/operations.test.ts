import { expect, test } from 'vitest'
import { Operations } from '../../../deploy/server/operations.ts'
import { SimClock } from '../../support/sim-clock.ts'

test('the newest come first, of one job or of all, also once their states change, and old ones are forgotten', async () => {
  const operations = new Operations(new SimClock())
  const started = Array.from({ length: 5 }, (_, i) =>
    operations.start('promote', { job: i % 2 === 0 ? 'even' : 'odd', version: i }, async () => i),
  )
  await new Promise((resolve) => setImmediate(resolve))
  const versions = (limit: number, job?: string) => operations.newest(limit, job).map(({ of }) => of?.version)
  expect(versions(3)).toEqual([4, 3, 2])
  expect(versions(2, 'odd')).toEqual([3, 1])
  expect(operations.newest(1)).toEqual([{ ...started[4], state: 'done', endedAt: started[4]!.startedAt, result: 4 }])
  for (let i = 5; i < 1100; i++) operations.start('rollback', { job: 'even', version: i }, async () => i)
  expect(versions(5000)).toEqual(Array.from({ length: 1000 }, (_, i) => 1099 - i))
})
