import { readBody } from './read-body.ts'

const TIMEOUT_MS = 60_000
/** A page of a thousand operations of the greatest size. */
const MAX_PAGE_BYTES = 16 * 1024 * 1024
/** Frames that were received and not taken yet: beyond it the export is read instead. */
const MAX_QUEUED_FRAMES = 20_000

/** A directory that is followed. */
export interface Upstream {
  readonly url: string
  /** Lines behind a number, notices among them, or behind a time in ISO 8601; fewer than `count` at the end. */
  page(after: number | string, count: number, signal: AbortSignal): Promise<readonly string[]>
  /**
   * Frames behind a number as they come, some at a time. Ends when the upstream closes.
   * @throws {StreamEnd} with the reason that it gave.
   */
  stream(cursor: number, signal: AbortSignal): AsyncIterable<readonly string[]>
}

/** Why a stream ended: `OutdatedCursor`, `FutureCursor`, `ConsumerTooSlow`, or what the connection says. */
export class StreamEnd extends Error {
  override readonly name = 'StreamEnd'
  readonly reason: string

  constructor(url: string, reason: string) {
    super(`the stream of ${url} ended: ${reason || 'without a reason'}`)
    this.reason = reason
  }
}

/** @param fetch goes where the operator said. */
export function createUpstream(address: string, fetch: typeof globalThis.fetch): Upstream {
  const url = address.replace(/\/$/, '')

  async function page(
    after: number | string,
    count: number,
    signal: AbortSignal,
  ): Promise<readonly string[]> {
    // Directories that know nothing of notices look at what they know.
    const notices = typeof after === 'number' ? '&withdrawals=true' : ''
    const from = `${url}/export?after=${encodeURIComponent(after)}&count=${count}${notices}`
    const response = await fetch(from, { signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) })
    if (!response.ok) {
      await response.body?.cancel()
      const wait = response.headers.get('retry-after')
      throw new Error(`${from} answered ${response.status}${wait === null ? '' : `, again in ${wait} s`}`)
    }
    const text = (await readBody(response, from, MAX_PAGE_BYTES)).toString()
    return text === '' ? [] : text.trimEnd().split('\n')
  }

  async function* stream(cursor: number, signal: AbortSignal): AsyncGenerator<readonly string[]> {
    const socket = new WebSocket(
      `${url.replace(/^http/, 'ws')}/export/stream?cursor=${cursor}&withdrawals=true`,
    )
    const frames: string[] = []
    let end: StreamEnd | undefined
    let wake = () => {}
    const finish = (reason: string) => {
      end ??= new StreamEnd(url, reason)
      wake()
    }
    const abort = () => socket.close()
    signal.addEventListener('abort', abort)
    socket.onmessage = ({ data }) => {
      if (frames.length >= MAX_QUEUED_FRAMES) {
        finish('more frames than we take at once')
        socket.close()
      } else frames.push(String(data))
      wake()
    }
    socket.onerror = () => finish('the connection failed')
    socket.onclose = ({ reason }) => finish(reason)
    try {
      for (;;) {
        if (frames.length > 0) yield frames.splice(0)
        else if (end !== undefined) throw end
        else
          await new Promise<void>((resolve) => {
            wake = resolve
          })
      }
    } finally {
      signal.removeEventListener('abort', abort)
      socket.close()
    }
  }

  return { url, page, stream }
}
