import { codeOf } from '../engine/errors.ts'
import type { CheckpointStore } from '../engine/ports/checkpoint-store.ts'
import { isManifest, pointOf, readManifest } from './checkpoint/manifest.ts'

/**
 * What a task kept beside its stores in its newest checkpoint, without loading any of these; undefined: there is none. Damaged ones are passed
 * over. Changes nothing. @param names of the files in `files`.
 */
export async function newestCursor(files: CheckpointStore, names: readonly string[]): Promise<unknown> {
  for (const name of names.filter(isManifest).sort().reverse()) {
    try {
      return pointOf(await readManifest(files, name), undefined).cursor
    } catch (error) {
      if (codeOf(error) !== 'CHECKPOINT_CORRUPT') throw error
    }
  }
  return undefined
}
