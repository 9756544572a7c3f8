import { once } from 'node:events'
import { WebSocket } from 'ws'

/** One event, as it came. */
export interface Seen {
  readonly did: string
  readonly time_us: number
  readonly kind: string
  // biome-ignore lint/suspicious/noExplicitAny: tests look at events of every kind
  readonly [kind: string]: any
}

/** A WebSocket client that keeps what it got. */
export interface Subscriber extends AsyncDisposable {
  readonly events: readonly Seen[]
  readonly texts: readonly string[]
  send(message: unknown): void
  sendRaw(data: string | Uint8Array): void
  /** Until there are that many events. */
  count(events: number): Promise<readonly Seen[]>
  /** How the connection ended. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
}

/** @param query such as `?cursor=1`, or parameters */
export async function subscriber(
  url: string,
  query: string | readonly (readonly [string, string])[] = '',
): Promise<Subscriber> {
  const search = typeof query === 'string' ? query : `?${new URLSearchParams(query.map((pair) => [...pair]))}`
  const socket = new WebSocket(`${url.replace('http', 'ws')}/subscribe${search}`)
  const events: Seen[] = []
  const texts: string[] = []
  const waiting: { readonly count: number; readonly resolve: () => void }[] = []
  socket.on('message', (data, isBinary) => {
    if (isBinary) throw new Error('a binary message: JSON comes as text')
    texts.push(String(data))
    events.push(JSON.parse(String(data)))
    for (const { count, resolve } of waiting) if (events.length >= count) resolve()
  })
  const closed = Promise.withResolvers<{ code: number; reason: string }>()
  socket.on('close', (code, reason) => closed.resolve({ code, reason: String(reason) }))
  await once(socket, 'open')
  return {
    events,
    texts,
    send: (message) => socket.send(JSON.stringify(message)),
    sendRaw: (data) => socket.send(data),
    count: async (count) => {
      if (events.length < count)
        await new Promise<void>((resolve) => waiting.push({ count, resolve: () => resolve() }))
      return events
    },
    closed: closed.promise,
    [Symbol.asyncDispose]: async () => {
      socket.close()
      await closed.promise
    },
  }
}

/** The answer to a handshake that was refused. */
export async function refusal(
  url: string,
  query: string,
): Promise<{ status: number; text: string; type: string }> {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/subscribe${query}`)
  socket.on('error', () => {})
  const [, response] = await once(socket, 'unexpected-response')
  let text = ''
  for await (const chunk of response) text += chunk
  return { status: response.statusCode, text, type: response.headers['content-type'] ?? '' }
}
