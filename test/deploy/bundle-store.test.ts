import { expect, test } from 'vitest'
import { BundleStore } from '../../deploy/bundle-store.ts'
import { MemoryLog } from '../../engine/log/memory/memory-log.ts'
import { SimClock } from '../support/sim-clock.ts'

test('bundles that come at the same time are all kept, each once', async () => {
  const log = new MemoryLog({ clock: new SimClock() })
  const store = new BundleStore(log)
  const bundle = (sha256: string) => ({ sha256, name: 'shop', text: sha256, map: '' })
  await Promise.all(['a', 'b', 'a', 'c', 'b'].map((sha256) => store.put(bundle(sha256), 1)))
  for (const sha256 of ['a', 'b', 'c']) expect(await store.get(sha256)).toEqual(bundle(sha256))
  expect(log.bounds('reprise.bundles', 0).end).toBe(3)
})
