import { codeOf, type ErrorDetails, StreamError } from '../../engine/errors.ts'
import type { EpochMs } from '../../engine/model/record.ts'
import type { Clock } from '../../engine/ports/world.ts'

/** Something that was asked for and takes a while. */
export interface Operation {
  readonly id: string
  readonly kind: 'promote' | 'rollback' | 'backup'
  /** Absent: of the whole data directory. */
  readonly of: { readonly job: string; readonly version: number } | undefined
  readonly state: 'running' | 'done' | 'failed'
  readonly startedAt: EpochMs
  readonly endedAt: EpochMs | undefined
  readonly result: unknown
  readonly error:
    | { readonly code: string; readonly message: string; readonly details: ErrorDetails; readonly fix: string | undefined }
    | undefined
}

const keptMax = 1000

/** The newest operations of this process; what they decided is in the control log for good. */
export class Operations {
  private readonly clock: Clock
  private readonly known = new Map<string, Operation>()
  private count = 0

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** @param work told the id of the operation. */
  start(kind: Operation['kind'], of: Operation['of'], work: (id: string) => Promise<unknown>): Operation {
    const id = `op-${this.clock.now().toString(36)}-${++this.count}`
    const startedAt = this.clock.now()
    const begun: Operation = {
      id,
      kind,
      of,
      state: 'running',
      startedAt,
      endedAt: undefined,
      result: undefined,
      error: undefined,
    }
    this.keep(begun)
    work(id).then(
      (result) => this.keep({ ...begun, state: 'done', endedAt: this.clock.now(), result }),
      (error: unknown) => {
        const { fix, details } = error instanceof StreamError ? error : { fix: undefined, details: {} }
        const message = error instanceof Error ? error.message : String(error)
        this.keep({
          ...begun,
          state: 'failed',
          endedAt: this.clock.now(),
          error: { code: codeOf(error) ?? 'INTERNAL', message, details, fix },
        })
      },
    )
    return begun
  }

  /** OPERATION_UNKNOWN. */
  get(id: string): Operation {
    const found = this.known.get(id)
    if (found === undefined) throw new StreamError('OPERATION_UNKNOWN', { id }, { fix: 'what was decided is among the events of the job' })
    return found
  }

  /** @param job undefined: of all. */
  newest(limit: number, job?: string): readonly Operation[] {
    const found = [...this.known.values()].reverse()
    return found.filter((operation) => job === undefined || operation.of?.job === job).slice(0, limit)
  }

  private keep(operation: Operation): void {
    this.known.set(operation.id, operation)
    if (this.known.size > keptMax) this.known.delete(this.known.keys().next().value!)
  }
}
