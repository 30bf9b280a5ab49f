import type { Catalog } from './catalog.ts'
import type { CommitRequest } from './group.ts'
import type { Operation } from './operation.ts'

/** A change that is no commit of records. Prepared when its turn comes, against the catalog as it is then. */
export interface ControlRequest {
  readonly kind: 'control'
  /** Throws to refuse. No operation: there is nothing to do. */
  readonly prepare: (catalog: Catalog) => { readonly operation: Operation | undefined; readonly settle: () => void }
  readonly reject: (error: unknown) => void
}

/** Begins a new log file, if there is anything in the current one. */
export interface RotateRequest {
  readonly kind: 'rotate'
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** Says that nothing came for a while, so that damage to the last frame can be told from a torn one. */
export interface QuietRequest {
  readonly kind: 'quiet'
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

export type WriteRequest = CommitRequest | ControlRequest | RotateRequest | QuietRequest

/**
 * What waits to be written, in order of arrival.
 * Invariant: the bytes of waiting commits are at most `bytesMax`, or one commit.
 */
export class RequestQueue {
  private requests: WriteRequest[] = []
  private readonly bytesMax: number
  private bytes = 0

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax
  }

  get length(): number {
    return this.requests.length
  }

  /** Whether a commit of this size can wait. */
  hasRoomFor(bytes: number): boolean {
    return this.requests.length === 0 || this.bytes + bytes <= this.bytesMax
  }

  push(request: WriteRequest): void {
    this.bytes += bytesOf(request)
    this.requests.push(request)
  }

  /** Puts commits back that were taken. */
  unshift(requests: readonly CommitRequest[]): void {
    for (const request of requests) this.bytes += bytesOf(request)
    this.requests.unshift(...requests)
  }

  /** The next one; with `commits` false the next that is not a commit. */
  take(commits: boolean): Exclude<WriteRequest, CommitRequest> | CommitRequest | undefined {
    const at = commits ? 0 : this.requests.findIndex(({ kind }) => kind !== 'commit')
    const request = at === -1 ? undefined : this.requests.splice(at, 1)[0]
    if (request) this.bytes -= bytesOf(request)
    return request
  }

  /** The next one if it is a commit of at most this size. */
  takeCommit(bytesMax: number): CommitRequest | undefined {
    const request = this.requests[0]
    if (request?.kind !== 'commit' || request.bytes > bytesMax) return undefined
    this.requests.shift()
    this.bytes -= request.bytes
    return request
  }

  takeAll(): readonly WriteRequest[] {
    const all = this.requests
    this.requests = []
    this.bytes = 0
    return all
  }
}

function bytesOf(request: WriteRequest): number {
  return request.kind === 'commit' ? request.bytes : 0
}
