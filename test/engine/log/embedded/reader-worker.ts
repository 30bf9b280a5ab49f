import { parentPort, workerData } from 'node:worker_threads'
import { BlockView } from '../../../../engine/block/block-view.ts'
import { NodeFileSystem } from '../../../../engine/log/embedded/node-file-system.ts'
import { EmbeddedReaderHost, type ReaderHandle } from '../../../../engine/log/embedded/reader-host.ts'

/** Reads partition 0 of `orders` up to `records`, waiting for more, and answers with all values and what the clock law was broken by. */
const { directory, handle, records } = workerData as { directory: string; handle: ReaderHandle; records: number }
const host = await EmbeddedReaderHost.attach(handle, { fs: new NodeFileSystem(directory) })
parentPort!.postMessage('attached')
const values: string[] = []
const broken: string[] = []
let lastAppendTime = 0
const looks: { clock: number; end: number }[] = []
const reader = host.reader('orders', 0, 0)
while (values.length < records) {
  const seen = host.changes()
  looks.push({ clock: host.clock(), end: host.bounds('orders', 0).end })
  const { position } = reader
  const chunk = await reader.read(1 << 16)
  if (chunk === null) {
    await host.changed(seen)
    continue
  }
  for (const at of chunk.blocks) {
    const block = new BlockView(chunk, at)
    for (let i = 0; i < block.count; i++) {
      const one = block.record(i)
      // A block that was joined meanwhile may begin below.
      if (one.offset < position) continue
      values.push(Buffer.from(one.value!).toString())
      lastAppendTime = one.appendTime
      for (const { clock, end } of looks.slice(-20))
        if (one.offset >= end && one.appendTime < clock) broken.push(`${one.offset}: ${one.appendTime} < ${clock}`)
    }
  }
  chunk.release()
}
// It moves on although nothing more comes, for whoever looks.
const moved = () => host.clock() - lastAppendTime
for (let waits = 0; waits < 250 && moved() <= 20; waits++) {
  await new Promise((resolve) => setTimeout(resolve, 20))
  await host.refresh()
}
parentPort!.postMessage({ values, broken, moved: moved(), looks: looks.length })
await host.close()
