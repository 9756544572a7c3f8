const BANNER = `Jetstream, Imago: the network as JSON

  GET /subscribe    WebSocket; wantedCollections, wantedDids, cursor, maxMessageSizeBytes, requireHello
  GET /_health
`

/** What `/_health` tells. */
export interface Health {
  readonly version: string
  /** Whether events can still be taken in. */
  readonly healthy: boolean
  /** `time_us` of the newest event; 0 when there is none. */
  readonly newestTimeMicros: number
  /** `time_us` of the oldest event that a cursor may ask for. */
  readonly oldestTimeMicros: number
  /** The relay's number of the last event taken; `null` before the first. */
  readonly relaySeq: number | null
  readonly subscribers: number
}

/** The pages that are no stream. */
export function answerPage(request: Request, health: () => Health): Response {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return text(405, `${request.method} is not for this server: GET / says what is\n`, { allow: 'GET, HEAD' })
  const { pathname } = new URL(request.url)
  switch (pathname) {
    case '/':
      return text(200, BANNER)
    case '/_health': {
      const { healthy, ...facts } = health()
      return Response.json(facts, { status: healthy ? 200 : 503 })
    }
    case '/subscribe':
      return text(426, 'connect with a WebSocket client\n', { upgrade: 'websocket', connection: 'Upgrade' })
    default:
      return text(404, `nothing at ${pathname}: GET / says what is\n`)
  }
}

function text(status: number, body: string, headers: Record<string, string> = {}): Response {
  return new Response(body, { status, headers: { 'content-type': 'text/plain; charset=utf-8', ...headers } })
}
