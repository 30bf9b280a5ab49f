import type { ChainIndex, CheckpointFile, Manifest } from './manifest.ts'

/** Deltas a base bears before they are merged into a new one. */
const deltasMax = 128
/** Deltas of fewer bytes are not worth a merge. */
export const defaultMergeBytesMin = 1 << 20

/**
 * One of the two chains of files, a base and deltas over it, that checkpoints are written to in turn: number n to one, n + 1 to the other.
 * The two newest checkpoints are the ends of the two chains and have no file in common (docs/decisions/0003-alternating-chains.md).
 */
export interface Chain {
  readonly index: ChainIndex
  /** Durable files, oldest first. Merging may have replaced files that the chain's manifest still names. */
  files: readonly CheckpointFile[]
  /** The checkpoint it ends at; 0: none. */
  upTo: number
  /** False: damaged or never begun; the next checkpoint begins it anew. */
  intact: boolean
  /** Its files were read and compared in this life. */
  verified: boolean
}

export function emptyChain(index: ChainIndex): Chain {
  return { index, files: [], upTo: 0, intact: false, verified: false }
}

export function chainOf(manifest: Manifest, verified: boolean): Chain {
  return { index: manifest.chain, files: manifest.files, upTo: manifest.number, intact: true, verified }
}

/**
 * What the chain needs of the other, newer one before it can take that one's next delta.
 * @returns files to copy, oldest first; `anew`: in place of all it has.
 */
export function filesMissing(chain: Chain, newer: Chain): { anew: boolean; files: readonly CheckpointFile[] } {
  const missing = newer.files.filter(({ upTo }) => upTo > chain.upTo)
  const anew = !chain.intact || missing.some(({ kind }) => kind === 'base')
  return { anew, files: anew ? newer.files : missing }
}

/**
 * The files to merge into a new base: those the other chain has copies of already.
 * @returns undefined if it is not worth it yet.
 */
export function filesToMerge(chain: Chain, other: Chain, bytesMin: number): readonly CheckpointFile[] | undefined {
  if (!chain.intact) return undefined
  const files = chain.files.filter(({ upTo }) => upTo <= other.upTo)
  const [base, ...deltas] = files
  if (base === undefined || deltas.length === 0) return undefined
  const deltaBytes = deltas.reduce((sum, { bytes }) => sum + bytes, 0)
  return deltas.length >= deltasMax || deltaBytes >= Math.max(base.bytes, bytesMin) ? files : undefined
}
