import type { ReadFile } from '../../ports/file-system.ts'
import { blockFaults } from './block-faults.ts'
import type { LogId } from './frame.ts'
import { FrameCursor } from './frame-cursor.ts'
import type { Fault } from './frame-fault.ts'

/**
 * Every bad block of a log file up to `end`, which is durable; behind a bad frame nothing more is looked for. Of a file that is appended
 * to meanwhile too. `pace` is awaited for each frame with its bytes.
 */
export async function* logFileFaults(
  file: ReadFile,
  place: { readonly logId: LogId; readonly file: number },
  end: number,
  pace: (bytes: number) => Promise<void>,
): AsyncGenerator<Fault, void> {
  const cursor = new FrameCursor(file, place)
  for (let position = 0; position < end; ) {
    const found = await cursor.whole(position)
    if ('reason' in found) return yield found
    const { bytes, at, frame } = found
    yield* blockFaults(bytes, at, frame)
    position += frame.length
    await pace(frame.length)
  }
}
