import { expect, test } from 'vitest'
import { jobOfBundle } from '../../deploy/load-job-file.ts'
import { silentLogger } from '../../engine/ports/world.ts'

const bundleOf = (text: string) => ({ name: 'job.ts', text, map: '{"mappings":""}', sha256: '' })

test('a job file that loops when it is loaded is refused instead of waited for', async () => {
  const { load } = await jobOfBundle(bundleOf('for (;;) {}'), silentLogger, undefined, 100)
  expect(load).toThrow(/JOB_LOAD_FAILED.*it did not come back within 0.1 s/)
})

test('what a job file throws when it is loaded goes on as it is', async () => {
  const { load } = await jobOfBundle(bundleOf('throw new RangeError("no such day")'), silentLogger)
  expect(load).toThrow(/JOB_LOAD_FAILED.*RangeError: no such day/)
})
