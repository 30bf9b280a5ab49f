import { codeOf, StreamError } from '../../engine/errors.ts'
import type { CheckpointStore } from '../../engine/ports/checkpoint-store.ts'
import type { Logger } from '../../engine/ports/world.ts'
import type { TaskIdentity } from '../task-identity.ts'
import { isManifest, type Manifest, numberOf, readManifest } from './manifest.ts'
import { verifyFile } from './write-file.ts'

export interface FoundCheckpoints {
  /** The newest that verifies and is confirmed. */
  readonly newest: Manifest | undefined
  /** The end of the other chain, if it seems whole; its files are still to be verified. */
  readonly older: Manifest | undefined
  /** A number that no file has. */
  readonly nextNumber: number
}

type Confirmed = (point: { seq: number; hash: string }) => boolean

/**
 * Looks through the checkpoints, newest first. Damaged ones are passed over and said so. @param onDamage told of each of them.
 * Errors: LOG_CORRUPT (from `confirmed`: a manifest is only written after its slice was acknowledged, so one ahead of the journal is proof),
 * JOB_CHANGED (a checkpoint of another job or topology), LOG_FORMAT_UNKNOWN.
 */
export async function findCheckpoints(
  files: CheckpointStore,
  task: TaskIdentity,
  confirmed: Confirmed,
  logger: Logger,
  onDamage: () => void,
): Promise<FoundCheckpoints> {
  const names = await files.list()
  const nextNumber = 1 + Math.max(0, ...names.map((name) => numberOf(name) ?? 0))
  let newest: Manifest | undefined
  for (const name of names.filter(isManifest).reverse()) {
    const manifest = await readWhole(files, name, logger)
    if (manifest === undefined) onDamage()
    if (manifest === undefined) continue
    checkIdentity(manifest, task)
    if (!confirmed({ seq: manifest.seq, hash: manifest.hash })) {
      logger.warn({ checkpoint: name, slice: manifest.seq, hash: manifest.hash }, 'checkpoint is not of this journal')
    } else if (newest !== undefined) {
      if (manifest.chain !== newest.chain && (await sizesMatch(files, manifest))) return { newest, older: manifest, nextNumber }
    } else if (await verified(files, manifest, logger)) {
      newest = manifest
    } else onDamage()
  }
  return { newest, older: undefined, nextNumber }
}

async function readWhole(files: CheckpointStore, name: string, logger: Logger): Promise<Manifest | undefined> {
  try {
    return await readManifest(files, name)
  } catch (error) {
    if (codeOf(error) !== 'CHECKPOINT_CORRUPT') throw error
    logger.error({ checkpoint: name, error }, 'checkpoint is damaged')
    return undefined
  }
}

function checkIdentity(manifest: Manifest, task: TaskIdentity): void {
  for (const name of ['job', 'version', 'task', 'fingerprint'] as const) {
    if (manifest[name] === task[name]) continue
    throw new StreamError(
      'JOB_CHANGED',
      { checkpoint: manifest.number, [name]: task[name], inCheckpoint: manifest[name] },
      { fix: 'start the changed job as a new version, or with a new data directory' },
    )
  }
}

async function verified(files: CheckpointStore, manifest: Manifest, logger: Logger): Promise<boolean> {
  for (const file of manifest.files) {
    if (await verifyFile(files, file)) continue
    logger.error({ checkpoint: manifest.number, slice: manifest.seq, file: file.name }, 'checkpoint is damaged')
    return false
  }
  return true
}

async function sizesMatch(files: CheckpointStore, manifest: Manifest): Promise<boolean> {
  for (const { name, bytes } of manifest.files) if ((await files.size(name)) !== bytes) return false
  return true
}
