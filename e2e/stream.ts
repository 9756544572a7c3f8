import { decodeFrame } from '@imago/xrpc/frames'

/** One event of subscribeRepos, as far as tests look at it. */
export interface StreamEvent {
  readonly seq: number
  readonly type: string
  readonly did: string
  readonly rev: string | undefined
  readonly paths: readonly string[]
}

/** Follows a subscribeRepos stream into an array, without reconnecting: what arrived is what was sent. */
export function collectStream(service: string, cursor: number): { events: StreamEvent[]; close(): void } {
  const events: StreamEvent[] = []
  const socket = new WebSocket(
    `${service.replace('http', 'ws')}/xrpc/com.atproto.sync.subscribeRepos?cursor=${cursor}`,
  )
  socket.binaryType = 'arraybuffer'
  socket.onmessage = ({ data }) => {
    const frame = decodeFrame(new Uint8Array(data as ArrayBuffer))
    if (frame.kind !== 'message') return
    const body = frame.body as {
      seq: number
      repo?: string
      did?: string
      rev?: string
      ops?: { path: string }[]
    }
    events.push({
      seq: body.seq,
      type: frame.type,
      did: (body.repo ?? body.did)!,
      rev: body.rev,
      paths: (body.ops ?? []).map(({ path }) => path),
    })
  }
  return { events, close: () => socket.close() }
}
