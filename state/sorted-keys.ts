import { compareKeys, type Key } from '../engine/model/record.ts'

const blockMax = 512

/**
 * A set of keys in canonical order, kept in blocks so that adding in the middle moves few of them. Adding at the end and taking
 * from the front (times that pass) cost next to nothing.
 */
export class SortedKeys {
  /** Invariant: no block is empty; keys rise within a block and from block to block. */
  private blocks: Key[][] = []
  private all: Key[] | undefined = undefined

  get first(): Key | undefined {
    return this.blocks[0]?.[0]
  }

  has(key: Key): boolean {
    const block = this.blocks[this.blockOf(key)]
    return block !== undefined && block[positionIn(block, key)] === key
  }

  /** @param key one that is not in it. */
  add(key: Key): void {
    this.all = undefined
    const index = Math.min(this.blockOf(key), this.blocks.length - 1)
    const block = this.blocks[index]
    if (block === undefined) {
      this.blocks.push([key])
      return
    }
    const at = positionIn(block, key)
    if (at === block.length) block.push(key)
    else block.splice(at, 0, key)
    if (block.length > blockMax) this.split(index)
  }

  /** @returns whether it was there. */
  delete(key: Key): boolean {
    const index = this.blockOf(key)
    const block = this.blocks[index]
    if (block === undefined) return false
    const at = positionIn(block, key)
    if (block[at] !== key) return false
    this.all = undefined
    if (block.length === 1) this.blocks.splice(index, 1)
    else block.splice(at, 1)
    return true
  }

  /** All keys; valid until the next change. */
  toArray(): readonly Key[] {
    if (this.blocks.length === 1) return this.blocks[0]!
    this.all ??= this.blocks.flat()
    return this.all
  }

  /** The first block whose last key is not below the key: where it is, or belongs. One past the last if there is none. */
  private blockOf(key: Key): number {
    const { blocks } = this
    let low = 0
    let high = blocks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const block = blocks[middle]!
      if (compareKeys(block[block.length - 1]!, key) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  private split(index: number): void {
    const block = this.blocks[index]!
    // Keys that come in order leave full blocks behind.
    const keep = index === this.blocks.length - 1 ? blockMax : blockMax >>> 1
    this.blocks.splice(index + 1, 0, block.splice(keep))
  }
}

/** The position of the key in the block, or where it belongs. */
function positionIn(block: readonly Key[], key: Key): number {
  let low = 0
  let high = block.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareKeys(block[middle]!, key) < 0) low = middle + 1
    else high = middle
  }
  return low
}
