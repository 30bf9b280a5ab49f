import type { ApiClient } from '../client/api-client.ts'
import { realClock } from '../real-clock.ts'
import { timedOut } from './wait.ts'

/** Something that takes the server a while. */
export interface OperationView<Result> {
  readonly id: string
  readonly job: string | null
  readonly version: number | null
  readonly state: 'running' | 'done' | 'failed'
  readonly result: Result | null
  readonly error: {
    readonly code: string
    readonly message: string
    readonly details: Readonly<Record<string, unknown>>
    readonly fix?: string
  } | null
}

/** Asks again until it has ended, more rarely the longer it takes. WAIT_TIMED_OUT. */
export async function endOf<Result>(
  client: ApiClient,
  begun: OperationView<Result>,
  { timeoutMs, wayOut }: { readonly timeoutMs: number; readonly wayOut?: string },
): Promise<OperationView<Result>> {
  const from = realClock.monotonic()
  let operation = begun
  while (operation.state === 'running') {
    const elapsedMs = realClock.monotonic() - from
    if (elapsedMs > timeoutMs) throw timedOut(`operation ${begun.id}`, timeoutMs, wayOut)
    await realClock.sleep(Math.min(20 + elapsedMs / 20, 1000))
    operation = await client.get<OperationView<Result>>(`/api/v1/operations/${begun.id}`)
  }
  return operation
}
