import { assert } from '../../assert.ts'
import type { Offset } from '../../model/record.ts'
import type { Pin } from '../../ports/log.ts'
import type { PartitionState } from './catalog.ts'

/** What must stay readable, by partition. Pins live as long as the process: whoever needs them sets them again after a restart. */
export class Pins {
  private readonly pins = new Map<PartitionState, Set<{ from: Offset }>>()

  add(partition: PartitionState, from: Offset): Pin {
    const pin = { from }
    const pins = this.pins.get(partition) ?? new Set()
    this.pins.set(partition, pins.add(pin))
    return {
      move(to) {
        pin.from = to
      },
      release: () => {
        pins.delete(pin)
        if (pins.size === 0 && this.pins.get(partition) === pins) this.pins.delete(partition)
      },
    }
  }

  /** Infinity when nothing is pinned. */
  lowest(partition: PartitionState): Offset {
    let lowest = Number.POSITIVE_INFINITY
    for (const { from } of this.pins.get(partition) ?? []) lowest = Math.min(lowest, from)
    return lowest
  }

  /** Errors: an assertion when `before` is above a pin. */
  check(partition: PartitionState, before: Offset, name: string): void {
    assert(before <= this.lowest(partition), () => `trim of ${name} to ${before}, above the pin at ${this.lowest(partition)}`)
  }
}
