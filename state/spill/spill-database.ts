import { ByteSink } from '../../engine/block/byte-sink.ts'
import { decodeValue, encodeValue } from '../../engine/codec/value-codec.ts'
import { codeOf } from '../../engine/errors.ts'
import type { SpillStore } from '../../engine/ports/checkpoint-store.ts'
import { payloadAt, seal, unseal } from './envelope.ts'
import { copy, headerKey, SpillKeys } from './spill-keys.ts'

/** A checkpoint's number, and the journal's hash there: numbers alone could mean another history. */
export interface SpillPosition {
  readonly number: number
  readonly hash: string
}

export interface Put {
  readonly key: Uint8Array
  readonly value: Uint8Array | null
}

interface Header {
  /** All up to this checkpoint is in it. */
  readonly applied: SpillPosition | null
  /** Some of this one may be. */
  readonly applying: SpillPosition | null
  /** Batches floor to last must all be there. */
  readonly floor: number
  readonly last: number
}

/** So many bytes of batches may still be in LevelDB's log alone, where one can get lost: several times its write buffer. */
const unsureBytes = 64 << 20
const marksRemovedMax = 16

/**
 * The spill store with a number in each batch. It is a cache: after a stop it is used only if no batch is missing and it holds nothing but
 * what the loaded checkpoint's own files hold.
 */
export class SpillDatabase {
  readonly store: SpillStore
  readonly keys = new SpillKeys()
  private header: Header = { applied: null, applying: null, floor: 1, last: 0 }
  /** Bytes written up to each of the batches from `header.floor` on that this life wrote. */
  private readonly written: { batch: number; total: number }[] = []
  private total = 0

  constructor(store: SpillStore) {
    this.store = store
  }

  get applied(): SpillPosition | null {
    return this.header.applied
  }

  get applying(): SpillPosition | null {
    return this.header.applying
  }

  /** Reads what a former life left. @returns false if it can't be used: clear it then. */
  open(): boolean {
    try {
      const sealed = this.store.get(headerKey)
      if (sealed === undefined) return false
      const bytes = unseal(sealed)
      this.header = decodeValue(bytes, payloadAt, bytes.length) as Header
    } catch (error) {
      if (codeOf(error) !== 'STATE_CORRUPT') throw error
      return false
    }
    for (let batch = this.header.floor; batch <= this.header.last; batch++)
      if (this.store.get(this.keys.batch(batch)) === undefined) return false
    return true
  }

  /** Empties it. */
  async clear(): Promise<void> {
    // BEFORE anything goes: a clear that comes half way must not look like a whole database.
    await this.disown()
    await this.store.clear()
    this.header = { applied: null, applying: null, floor: 1, last: 0 }
    this.written.length = 0
  }

  /** Nobody is to use it as it is. */
  disown(): Promise<void> {
    return this.write([], { applied: null, applying: null })
  }

  begin(position: SpillPosition): Promise<void> {
    return this.write([], { applying: position })
  }

  end(position: SpillPosition): Promise<void> {
    return this.write([], { applied: position, applying: null })
  }

  /** One batch, visible and lost as a whole. */
  async write(puts: readonly Put[], positions: Partial<Pick<Header, 'applied' | 'applying'>> = {}): Promise<void> {
    const number = this.header.last + 1
    const all = [...puts, { key: copy(this.keys.batch(number)), value: seal(new Uint8Array(0), 0, 0) }]
    for (const { key, value } of puts) this.total += key.length + (value?.length ?? 0)
    this.written.push({ batch: number, total: this.total })
    const floor = this.raiseFloor(all)
    this.header = { ...this.header, ...positions, floor, last: number }
    all.push({ key: headerKey, value: sealValue(this.header) })
    await this.store.batch(all)
  }

  private raiseFloor(puts: Put[]): number {
    let { floor } = this.header
    for (let i = 0; i < marksRemovedMax; i++) {
      const oldest = this.written[0]!
      // Batches of former lives go once this life has written enough.
      if (this.total - oldest.total < unsureBytes || floor > oldest.batch) break
      puts.push({ key: copy(this.keys.batch(floor)), value: null })
      if (floor === oldest.batch) this.written.shift()
      floor++
    }
    return floor
  }
}

export function sealValue(value: unknown): Uint8Array {
  const out = new ByteSink(128)
  encodeValue(value, out)
  return seal(out.buf, 0, out.at)
}
