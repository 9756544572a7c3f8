import { setTimeout as sleep } from 'node:timers/promises'
import { subscribe } from '@imago/xrpc/subscribe'

/** One message of a stream, as it came. */
export interface Arrival {
  /** `seq`, or Jetstream's `time_us`. */
  readonly position: number
  readonly payload: Uint8Array
  /** When it came, in milliseconds of `performance.now`. */
  readonly atMs: number
}

/** A stream that is followed for as long as the console runs, and its last messages. */
export interface Feed {
  readonly isFollowing: boolean
  /** The last messages, oldest first. */
  readonly recent: readonly Arrival[]
  /** Messages that came since the console began to follow. */
  readonly received: number
  /** Calls back for every message from now on, until the returned function is called. */
  listen(listener: (arrival: Arrival) => void): () => void
  /**
   * The message at a position: one of the last, or asked of the service anew. `undefined` where there is none, or none
   * any more. Never rejects.
   */
  find(position: number): Promise<Arrival | undefined>
  /** Follows until the signal aborts. Never rejects. */
  follow(signal: AbortSignal): Promise<void>
}

export interface FeedOptions {
  readonly url: string
  /** Where to begin; the live end, where absent. */
  readonly cursor?: number
  /** The place of a message in the stream; `undefined` for those without one. May throw for what it cannot read. */
  readonly positionOf: (payload: Uint8Array) => number | undefined
  /** Hears of messages that cannot be read. */
  readonly onUnreadable: (error: unknown) => void
}

const MAX_RECENT = 500
const MAX_RECENT_BYTES = 4 * 1024 * 1024
const FIND_TIMEOUT_MS = 2000
const RETRY_MS = 1000
const MAX_RETRY_MS = 5000

export function createFeed({ url, cursor: begin, positionOf, onUnreadable }: FeedOptions): Feed {
  const recent: Arrival[] = []
  const listeners = new Set<(arrival: Arrival) => void>()
  let recentBytes = 0
  let received = 0
  let isFollowing = false
  let cursor = begin

  function take(payload: Uint8Array): void {
    const position = positionOf(payload)
    if (position === undefined) return
    cursor = position
    received++
    const arrival: Arrival = { position, payload, atMs: performance.now() }
    recent.push(arrival)
    recentBytes += payload.length
    while (recent.length > MAX_RECENT || (recentBytes > MAX_RECENT_BYTES && recent.length > 1))
      recentBytes -= recent.shift()!.payload.length
    for (const listener of listeners) listener(arrival)
  }

  async function followOnce(signal: AbortSignal): Promise<void> {
    const frames = subscribe(url, {
      signal,
      cursor: () => cursor,
      minDelayMs: RETRY_MS,
      maxDelayMs: MAX_RETRY_MS,
      onDisconnect: () => {
        isFollowing = false
      },
      open: (target, protocols) => {
        const socket = new WebSocket(target, protocols)
        socket.addEventListener('open', () => {
          isFollowing = true
        })
        return socket
      },
    })
    for await (const payload of frames)
      try {
        take(payload)
      } catch (error) {
        onUnreadable(error)
      }
  }

  return {
    recent,
    get isFollowing() {
      return isFollowing
    },
    get received() {
      return received
    },
    listen(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async find(position) {
      const known = recent.find((arrival) => arrival.position === position)
      if (known || !Number.isSafeInteger(position) || position < 1) return known
      try {
        const past = subscribe(url, {
          cursor: () => position - 1,
          signal: AbortSignal.timeout(FIND_TIMEOUT_MS),
          maxFailures: 0,
        })
        for await (const payload of past) {
          const found = positionOf(payload)
          if (found === position) return { position, payload, atMs: performance.now() }
          if (found !== undefined) return undefined
        }
      } catch (error) {
        onUnreadable(error)
      }
      return undefined
    },
    async follow(signal) {
      while (!signal.aborted) {
        try {
          await followOnce(signal)
        } catch (error) {
          // An error frame: the service was begun anew, and knows nothing of our place.
          onUnreadable(error)
          cursor = begin
        }
        isFollowing = false
        await sleep(RETRY_MS, undefined, { signal }).catch(() => {})
      }
    },
  }
}
