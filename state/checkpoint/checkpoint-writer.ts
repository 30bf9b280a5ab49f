import { assert } from '../../engine/assert.ts'
import { codeOf, type StreamError } from '../../engine/errors.ts'
import type { CheckpointStore } from '../../engine/ports/checkpoint-store.ts'
import type { Logger, Probe } from '../../engine/ports/world.ts'
import type { FrozenGeneration } from '../frozen-generation.ts'
import type { Pacer } from '../pacer.ts'
import type { TaskIdentity } from '../task-identity.ts'
import { formatVersion } from './blocks.ts'
import { type Chain, chainOf, emptyChain, filesMissing, filesToMerge } from './chains.ts'
import { FileCursor } from './file-cursor.ts'
import type { FoundCheckpoints } from './find-checkpoint.ts'
import { LatestRecords } from './latest-records.ts'
import { type CheckpointFile, fileName, type Manifest, manifestBytes, manifestName } from './manifest.ts'
import { RunCursor } from './run.ts'
import { copyFile, verifyFile, writeRecords } from './write-file.ts'

/** What a manifest says of the moment of its cut. */
export interface CutPoint {
  readonly seq: number
  readonly hash: string
  /** Encoded. */
  readonly cursor: string
  readonly cutAt: number
}

export interface WriterWorld {
  readonly task: TaskIdentity
  readonly files: CheckpointStore
  readonly pacer: Pacer
  readonly logger: Logger
  readonly probe: Probe
  readonly mergeBytesMin: number
  /** Told of each kept checkpoint that is found damaged. */
  readonly onDamage: () => void
}

/**
 * Owns the files of a task's checkpoints. Talks to the checkpoint store, in turns of the pacer.
 * Invariants: I1 the two kept checkpoints share no file; I2 the files of a checkpoint are durable BEFORE its manifest, and a manifest is written only
 * after its slice is acknowledged; I3 a file is removed only when neither a kept manifest, nor a chain, nor a reader needs it.
 */
export class CheckpointWriter {
  private readonly world: WriterWorld
  private readonly chains: [Chain, Chain]
  /** Published ones, newest first; two at most. */
  private kept: Manifest[]
  private readonly pinned = new Map<string, number>()
  private merging = false

  constructor(world: WriterWorld, { newest, older }: FoundCheckpoints) {
    this.world = world
    this.kept = [newest, older].filter((manifest) => manifest !== undefined)
    this.chains = [emptyChain(0), emptyChain(1)]
    if (newest !== undefined) this.chains[newest.chain] = chainOf(newest, true)
    if (older !== undefined) this.chains[older.chain] = chainOf(older, false)
  }

  /** Seq of the newest and the second newest published checkpoint, and the bytes the newest needs; 0 where there is none. */
  get published(): { newest: number; secondNewest: number; bytes: number } {
    const [newest, second] = this.kept
    const bytes = newest?.files.reduce((sum, file) => sum + file.bytes, 0) ?? 0
    return { newest: newest?.seq ?? 0, secondNewest: second?.seq ?? 0, bytes }
  }

  /** The files of the newest published checkpoint, safe from removal until `unpin`. */
  pinNewest(): { manifest: Manifest; unpin: () => void } | undefined {
    const manifest = this.kept[0]
    return manifest === undefined ? undefined : { manifest, unpin: this.pin(manifest.files) }
  }

  /**
   * Writes a generation as the next checkpoint, once it is serialised, and publishes it when `acknowledged` resolves.
   * @returns its delta, undefined if nothing changed; pinned until `unpin`.
   * Errors: CHECKPOINT_CORRUPT when what the other chain lacks can't be read: the newest checkpoint is damaged, and so the state has to be restored.
   */
  async publish(
    frozen: FrozenGeneration,
    cut: CutPoint,
    serialised: Promise<void>,
    acknowledged: () => Promise<void>,
  ): Promise<{ delta: CheckpointFile | undefined; unpin: () => void }> {
    const { probe, files } = this.world
    probe.at('checkpoint.before-files')
    const { target, base, copies } = await this.prepare(frozen.number)
    probe.at('checkpoint.after-copies')
    await serialised
    const delta = await this.writeDelta(frozen, cut, target)
    const added = delta === undefined ? copies : [...copies, delta]
    probe.at('checkpoint.after-files')
    await acknowledged()
    probe.at('checkpoint.before-manifest')
    const manifest: Manifest = {
      format: formatVersion,
      number: frozen.number,
      ...identityOf(this.world.task),
      ...cut,
      chain: target.index,
      // A merge may have ended meanwhile: the chain as it is now.
      files: [...(base === 'anew' ? [] : target.files), ...added],
    }
    await files.put(manifestName(manifest.number), [manifestBytes(manifest)])
    target.files = [...(base === 'anew' ? [] : target.files), ...added]
    target.upTo = frozen.number
    target.intact = true
    target.verified = true
    this.kept = [manifest, ...this.kept.slice(0, 1)]
    const unpin = this.pin(delta === undefined ? [] : [delta])
    probe.at('checkpoint.after-manifest')
    await this.removeUnused()
    probe.at('checkpoint.after-remove')
    return { delta, unpin }
  }

  /** Merges deltas into a new base where that is due; at most one merge at a time. */
  async mergeDue(): Promise<void> {
    if (this.merging) return
    this.merging = true
    try {
      const [a, b] = this.chains
      await this.merge(a, b)
      await this.merge(b, a)
    } finally {
      this.merging = false
    }
  }

  /** Makes the chain that is next ready to take the delta: brings it up to the newest checkpoint. */
  private async prepare(number: number): Promise<{ target: Chain; base: 'anew' | 'kept'; copies: CheckpointFile[] }> {
    const newer = this.kept[0] === undefined ? undefined : this.chains[this.kept[0].chain]
    const target = newer === undefined ? this.chains[0] : this.chains[1 - newer.index]!
    if (newer === undefined) return { target, base: 'anew', copies: [] }
    await this.verify(target)
    const missing = filesMissing(target, newer)
    const unpin = this.pin(missing.files)
    try {
      const copies: CheckpointFile[] = []
      for (const file of missing.files) copies.push(await this.copy(file, number, target))
      return { target, base: missing.anew ? 'anew' : 'kept', copies }
    } finally {
      unpin()
    }
  }

  private async copy(file: CheckpointFile, number: number, target: Chain): Promise<CheckpointFile> {
    const name = fileName(file.kind, file.upTo, number, target.index)
    await copyFile(this.world.files, file, name, this.world.pacer)
    return { ...file, name }
  }

  /** A chain that was only found at the start is read once before more is built on it. */
  private async verify(chain: Chain): Promise<void> {
    if (!chain.intact || chain.verified) return
    for (const file of chain.files) {
      if (await verifyFile(this.world.files, file, this.world.pacer)) continue
      this.damaged(chain, file.name)
      return
    }
    chain.verified = true
  }

  private damaged(chain: Chain, file: string): void {
    chain.intact = false
    this.world.onDamage()
    this.world.logger.error({ file, checkpoint: chain.upTo }, 'a kept checkpoint is damaged; the next one takes its place')
  }

  private async writeDelta(frozen: FrozenGeneration, cut: CutPoint, target: Chain): Promise<CheckpointFile | undefined> {
    const first = this.kept[0] === undefined
    if (frozen.runs.length === 0 && !first) return undefined
    const kind = first ? 'base' : 'delta'
    const records = await LatestRecords.of(
      frozen.runs.map((run) => new RunCursor(run, frozen.number)),
      first ? 'drop' : 'keep',
    )
    const name = fileName(kind, frozen.number, frozen.number, target.index)
    const written = await writeRecords(this.world.files, name, records, this.world.pacer)
    return { name, kind, upTo: frozen.number, seq: cut.seq, hash: cut.hash, ...written }
  }

  private async merge(chain: Chain, other: Chain): Promise<void> {
    const inputs = filesToMerge(chain, other, this.world.mergeBytesMin)
    if (inputs === undefined) return
    const { files, pacer, probe } = this.world
    probe.at('checkpoint.before-merge')
    const unpin = this.pin(inputs)
    const last = inputs.at(-1)!
    const name = fileName('base', last.upTo, this.kept[0]!.number, chain.index)
    // Nobody names it yet.
    const unpinNew = this.pin([{ name }])
    try {
      const cursors = inputs.map((file, age) => new FileCursor(files, file, age))
      const written = await writeRecords(files, name, await LatestRecords.of(cursors, 'drop'), pacer)
      // The chain may have been begun anew meanwhile.
      if (chain.files[0]?.name !== inputs[0]!.name) return
      chain.files = [{ ...last, name, kind: 'base', ...written }, ...chain.files.slice(inputs.length)]
      probe.at('checkpoint.after-merge')
    } catch (error) {
      if (codeOf(error) !== 'CHECKPOINT_CORRUPT') throw error
      this.damaged(chain, String((error as StreamError).details.file))
    } finally {
      unpin()
      unpinNew()
    }
  }

  private pin(files: readonly { readonly name: string }[]): () => void {
    for (const { name } of files) this.pinned.set(name, (this.pinned.get(name) ?? 0) + 1)
    return () => {
      for (const { name } of files) {
        const pins = this.pinned.get(name)! - 1
        if (pins === 0) this.pinned.delete(name)
        else this.pinned.set(name, pins)
      }
    }
  }

  /** I3. Also what lies about from attempts that did not come to their end. */
  private async removeUnused(): Promise<void> {
    const used = new Set([
      ...this.pinned.keys(),
      ...this.chains.flatMap((chain) => (chain.intact ? chain.files.map(({ name }) => name) : [])),
      ...this.kept.flatMap((manifest) => [manifestName(manifest.number), ...manifest.files.map(({ name }) => name)]),
    ])
    assert(used.size > 0, 'a checkpoint was published')
    for (const name of await this.world.files.list()) if (!used.has(name)) await this.world.files.remove(name)
  }
}

function identityOf({ job, version, task, fingerprint, semantics }: TaskIdentity): TaskIdentity {
  return { job, version, task, fingerprint, semantics }
}
