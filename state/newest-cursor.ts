import { codeOf } from '../engine/errors.ts'
import type { CheckpointStore } from '../engine/ports/checkpoint-store.ts'
import { isManifest, pointOf, readManifest } from './checkpoint/manifest.ts'

/**
 * What a task kept beside its stores in its newest checkpoint, without loading any of these; undefined: there is none. Damaged ones are passed
 * over. Changes nothing.
 */
export async function newestCursor(files: CheckpointStore): Promise<unknown> {
  for (const name of (await files.list()).filter(isManifest).reverse()) {
    try {
      return pointOf(await readManifest(files, name), undefined).cursor
    } catch (error) {
      if (codeOf(error) !== 'CHECKPOINT_CORRUPT') throw error
    }
  }
  return undefined
}
