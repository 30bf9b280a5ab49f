import { decodeValue, type MakeDate } from '../../engine/codec/value-codec.ts'
import type { CheckpointStore } from '../../engine/ports/checkpoint-store.ts'
import type { Clock } from '../../engine/ports/world.ts'
import { StateEntry } from '../entry.ts'
import { GroupContents } from '../group-contents.ts'
import type { StateStore } from '../store.ts'
import { FileCursor } from './file-cursor.ts'
import { LatestRecords } from './latest-records.ts'
import type { CheckpointFile } from './manifest.ts'

/** Between two looks at the clock. */
const recordsBetweenLooks = 256
const stretchMs = 8

/** Goes through the live records of a checkpoint in canonical order; lets other work run now and then. */
export async function forEachRecord(
  files: CheckpointStore,
  of: readonly CheckpointFile[],
  clock: Clock,
  take: (record: LatestRecords['current']) => void,
): Promise<void> {
  const cursors = of.map((file, age) => new FileCursor(files, file, age))
  const records = await LatestRecords.of(cursors, 'drop')
  let since = clock.monotonic()
  for (let i = 1; ; i++) {
    const step = records.advance()
    if (step === 'end') return
    if (step === 'load') {
      await records.load()
      continue
    }
    take(records.current)
    if (i % recordsBetweenLooks === 0 && clock.monotonic() - since >= stretchMs) {
      await clock.yield()
      since = clock.monotonic()
    }
  }
}

/** Takes the whole state of a checkpoint into memory. */
export async function loadAll(
  files: CheckpointStore,
  of: readonly CheckpointFile[],
  clock: Clock,
  store: (name: string) => StateStore<unknown>,
  makeDate: MakeDate | undefined,
): Promise<void> {
  let contents: GroupContents | undefined
  await forEachRecord(files, of, clock, (record) => {
    if (contents === undefined || contents.store !== record.store || contents.at !== record.at) {
      const home = store(record.store)
      contents = new GroupContents(home.name, home.meter, record.at, 0)
      home.adopt(contents)
    }
    const key = record.key!
    contents.meter.saw(record.to - record.from)
    contents.meter.inMemory++
    contents.entries.set(key, new StateEntry(key, decodeValue(record.bytes, record.from, record.to, makeDate), 0, 0, contents))
  })
}
