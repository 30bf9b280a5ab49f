import type { TableView } from './table-view.ts'

interface Known {
  readonly view: TableView
  readonly wanted: () => boolean
}

/**
 * Tables that are kept in memory, as long as they are wanted. Whenever one is asked for, the others together have no more than `bytesMax`; those asked
 * for longest ago are given up first.
 */
export class TableViews {
  private readonly bytesMax: number
  /** By name; asked for longest ago first. */
  private readonly views = new Map<string, Known>()

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  /** The one that is kept, or a new one. */
  open(name: string, wanted: () => boolean, make: () => TableView): TableView {
    const known = this.views.get(name)
    this.views.delete(name)
    this.makeRoom()
    const { view } = known?.wanted() ? known : { view: make() }
    this.views.set(name, { view, wanted })
    return view
  }

  private makeRoom(): void {
    for (const [name, { wanted }] of this.views) if (!wanted()) this.views.delete(name)
    let bytes = 0
    for (const { view } of this.views.values()) bytes += view.bytes
    for (const [name, { view }] of this.views) {
      if (bytes <= this.bytesMax) return
      bytes -= view.bytes
      this.views.delete(name)
    }
  }
}
