import { pause } from './pause.ts'
import { XrpcError } from './xrpc-error.ts'

/** What a retry policy knows of the request. */
export interface RetryFacts {
  /** Whether doing it twice is the same as doing it once: queries are, procedures may not be. */
  readonly idempotent: boolean
  readonly signal: AbortSignal | undefined
}

/** Runs `attempt` until it succeeds, or is not worth another try. */
export type Retry = (attempt: () => Promise<Response>, facts: RetryFacts) => Promise<Response>

export interface JitteredRetryOptions {
  /** How often to try in all. Default: 4. */
  readonly attempts?: number
  /** Upper bound of the first pause; it doubles from one to the next. Default: 500. */
  readonly baseDelayMs?: number
  /** Longest pause; a server that asks for a longer one gets no other try. Default: 30,000. */
  readonly maxDelayMs?: number
  /** 0 ≤ r < 1. Default: `Math.random`. */
  readonly random?: () => number
  /** Default: waits in real time, and rejects with the signal's reason when it aborts. */
  readonly sleep?: (ms: number, signal: AbortSignal | undefined) => Promise<void>
  /** Milliseconds since the epoch, for `Retry-After` in the form of a date. Default: `Date.now`. */
  readonly now?: () => number
}

/** Statuses that may pass, and after which a query can be sent again. */
const PASSING = new Set([0, 408, 425, 429, 502, 503, 504])
/** Those by which a server says that it did nothing. */
const REFUSED = new Set([429, 503])

/**
 * Retries with exponential backoff and full jitter, or after the pause that `Retry-After` asks for. Queries are tried
 * again after network failures, 408, 425, 429, 502, 503 and 504; procedures only after 429 and 503, where nothing was
 * done.
 */
export function jitteredRetry(options: JitteredRetryOptions = {}): Retry {
  const { attempts = 4, baseDelayMs = 500, maxDelayMs = 30_000 } = options
  const { random = Math.random, sleep = pause, now = Date.now } = options

  return async (attempt, { idempotent, signal }) => {
    for (let tried = 1; ; tried++) {
      try {
        return await attempt()
      } catch (error) {
        if (tried >= attempts || !mayPass(error, idempotent)) throw error
        const asked = retryAfterMs(error.headers?.get('retry-after'), now())
        const delayMs = asked ?? random() * Math.min(maxDelayMs, baseDelayMs * 2 ** (tried - 1))
        if (delayMs > maxDelayMs) throw error
        await sleep(delayMs, signal)
      }
    }
  }
}

function mayPass(error: unknown, idempotent: boolean): error is XrpcError {
  return error instanceof XrpcError && (idempotent ? PASSING : REFUSED).has(error.status)
}

/** @see https://www.rfc-editor.org/rfc/rfc9110#field.retry-after */
function retryAfterMs(value: string | null | undefined, nowMs: number): number | undefined {
  if (!value) return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1000
  const date = Date.parse(value)
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs)
}
