import { expect, test } from 'vitest'
import { z } from 'zod'
import { inspectJob } from '../../../deploy/server/inspected-job.ts'
import { partsOf } from '../../../deploy/server/job-parts.ts'
import { defineJob, topic } from '../../../index.ts'
import type { TopicOptions } from '../../../operators/topic.ts'
import { changesOf } from '../../../replay/deploy-plan.ts'

const at = z.object({ at: z.number() })

interface Options extends TopicOptions<{ at: number }> {
  readonly value: typeof at
}

/** How a plan shows the source of a job whose source topic changed from the one to the other. */
function shown(before: Partial<Options>, after: Partial<Options>): string {
  const parts = (options: Partial<Options>) => {
    const input = topic('in', { value: at, ...options })
    return partsOf(
      inspectJob(
        defineJob('parts', (job) => void job.from(input).to(topic('out', { codec: 'json' }))),
        'sha',
      ),
    )
  }
  const { change, detail } = changesOf(parts(before), parts(after)).find(({ what }) => what === 'source')!
  return `${change}: ${detail}`
}

test('a source is changed where its schema or its times are', () => {
  expect(shown({}, {})).toBe('same: stream, idle after 1m')
  expect(shown({}, { value: at.extend({ more: z.string().optional() }) as unknown as typeof at })).toBe('changed: stream, idle after 1m')
  expect(shown({}, { eventTime: ({ at }) => at })).toBe('changed: stream, idle after 1m')
  expect(shown({}, { idleAfter: '5s' })).toBe('changed: stream, idle after 1m → stream, idle after 5s')
  expect(shown({}, { idleAfter: 'never' })).toBe('changed: stream, idle after 1m → stream, never idle')
  expect(shown({}, { maxFuture: '2h' })).toBe('changed: stream, idle after 1m')
  expect(shown({}, { outOfOrderness: '1h' })).toBe('changed: stream, idle after 1m → stream, out of order by 1h, idle after 1m')
})
