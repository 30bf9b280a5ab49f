import { type ErrorCode, errorOf, errorTable, StreamError } from '../../engine/errors.ts'

export interface Problem {
  readonly status: number
  readonly detail: string
  readonly code: string
  readonly details: Readonly<Record<string, unknown>>
  readonly fix?: string
}

export interface ClientOptions {
  /** `http://127.0.0.1:8787`. */
  readonly url: string
  /** Who asks, for the audit log. */
  readonly user: string | undefined
  /** `rep_…`, where the server wants one. */
  readonly token?: string | undefined
  readonly timeoutMs: number
}

/** The admin API for a program. Errors of the server come back as they are; SERVER_UNREACHABLE when it does not answer. */
export class ApiClient {
  private readonly options: ClientOptions

  constructor(options: ClientOptions) {
    this.options = options
  }

  get<T>(path: string): Promise<T> {
    return this.call('GET', path)
  }

  post<T>(path: string, body: object): Promise<T> {
    return this.call('POST', path, JSON.stringify(body))
  }

  /** A body of JSON that is sent as it is. */
  postBytes<T>(path: string, body: Uint8Array<ArrayBuffer>): Promise<T> {
    return this.call('POST', path, body)
  }

  patch<T>(path: string, body: object): Promise<T> {
    return this.call('PATCH', path, JSON.stringify(body))
  }

  delete<T>(path: string): Promise<T> {
    return this.call('DELETE', path)
  }

  private async call<T>(method: string, path: string, body?: string | Uint8Array<ArrayBuffer>): Promise<T> {
    const { url, user, token, timeoutMs } = this.options
    const headers = {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(user === undefined ? {} : { 'x-reprise-user': user }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    }
    let response: Response
    try {
      response = await fetch(new URL(path, url), {
        method,
        headers,
        signal: AbortSignal.timeout(timeoutMs),
        ...(body === undefined ? {} : { body }),
      })
    } catch (cause) {
      throw unreachable(url, cause)
    }
    const answer: unknown = await response.json().catch((cause: unknown) => {
      throw unreachable(url, cause)
    })
    if (response.ok) return answer as T
    // While a server closes, what takes its calls says so in words of its own.
    if (response.status === 503 && (answer as Partial<Problem>).code === undefined) throw unreachable(url, answer)
    throw errorOfProblem(answer as Problem)
  }
}

function unreachable(url: string, cause: unknown): StreamError {
  return new StreamError(
    'SERVER_UNREACHABLE',
    { server: url },
    { cause, fix: 'start it: reprise server --data <dir>; or name another one: --server URL' },
  )
}

function errorOfProblem({ code, detail, details, fix }: Problem): Error {
  return Object.hasOwn(errorTable, code) ? errorOf({ code: code as ErrorCode, details, fix }) : new Error(detail)
}
