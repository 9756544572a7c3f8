import { readBytes } from './byte-stream.ts'
import { errorNameOf, isErrorName, XrpcError } from './xrpc-error.ts'

const MAX_ERROR_BYTES = 65_536

/** Proxies and captive portals answer in HTML: what cannot be read as an XRPC error is told from its status. */
export async function errorOf(response: Response): Promise<XrpcError> {
  const { status, headers } = response
  const fallback = response.statusText || `HTTP status ${status}`
  const { error, message } = await errorBody(response)
  return new XrpcError(
    status,
    isErrorName(error) ? error : errorNameOf(status),
    typeof message === 'string' && message !== '' ? message : fallback,
    { headers },
  )
}

async function errorBody(response: Response): Promise<{ error?: unknown; message?: unknown }> {
  if (response.body === null) return {}
  const tooLong = () => new RangeError(`an error has at most ${MAX_ERROR_BYTES} bytes`)
  const broken = () => new TypeError('the answer broke off')
  try {
    const bytes = await readBytes(response.body, { maxBytes: MAX_ERROR_BYTES, tooLong, broken })
    const body: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return typeof body === 'object' && body !== null ? body : {}
  } catch {
    return {}
  }
}

/** What to throw when the network, or the caller's own `fetch`, gave up. */
export function failure(cause: unknown, subject: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason
  if (cause instanceof XrpcError) return cause
  return new XrpcError(0, 'NetworkError', `${subject}: ${reasonOf(cause)}`, { cause })
}

/** Its message, and that of what led to it: `fetch` itself says no more than that it failed. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message
}
