import { codeOf } from '../../engine/errors.ts'
import type { CheckpointStore } from '../../engine/ports/checkpoint-store.ts'
import { isManifest, type Manifest, readManifest } from './manifest.ts'
import { verifyFile } from './write-file.ts'

export interface CheckpointReport {
  /** Checkpoints that are whole. */
  readonly whole: number
  /** Files that are damaged or missing: manifests, and what manifests name. */
  readonly damaged: readonly string[]
}

/** Reads all checkpoints of a task that nobody runs, and every byte of their files. Changes nothing. Errors: LOG_FORMAT_UNKNOWN. */
export async function checkpointFaults(files: CheckpointStore): Promise<CheckpointReport> {
  const damaged = new Set<string>()
  let whole = 0
  for (const name of (await files.list()).filter(isManifest)) {
    const manifest = await readManifest(files, name).catch((error: unknown) => {
      if (codeOf(error) !== 'CHECKPOINT_CORRUPT') throw error
      return undefined
    })
    const faults = manifest === undefined ? [name] : await faultsOf(files, manifest)
    if (faults.length === 0) whole++
    for (const fault of faults) damaged.add(fault)
  }
  return { whole, damaged: [...damaged] }
}

async function faultsOf(files: CheckpointStore, manifest: Manifest): Promise<string[]> {
  const faults: string[] = []
  for (const file of manifest.files) if (!(await verifyFile(files, file))) faults.push(file.name)
  return faults
}
