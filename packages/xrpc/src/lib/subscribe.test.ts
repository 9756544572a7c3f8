import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import test from 'node:test'
import { encode } from '@imago/data'
import { WebSocket as OtherWebSocket, type WebSocket as ServerSocket, WebSocketServer } from 'ws'
import { watch } from './example-methods.ts'
import { decodeFrame, encodeErrorFrame, encodeFrame } from './frame.ts'
import { FrameError } from './frame-error.ts'
import { type Disconnect, type SubscribeOptions, subscribe } from './subscribe.ts'
import { type Ignored, subscribeMessages } from './subscribe-messages.ts'
import { XrpcError } from './xrpc-error.ts'

interface Host extends AsyncDisposable {
  readonly url: string
  /** Path and query of each connection, in order. */
  readonly asked: string[]
}

/** A real WebSocket server that runs the n-th script, or the last, for the n-th connection. */
async function host(...scripts: ((socket: ServerSocket) => void)[]): Promise<Host> {
  const asked: string[] = []
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  server.on('connection', (socket, request) => {
    asked.push(request.url!)
    scripts[Math.min(asked.length, scripts.length) - 1]!(socket)
  })
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    async [Symbol.asyncDispose]() {
      for (const socket of server.clients) socket.terminate()
      server.close()
      await once(server, 'close')
    },
  }
}

const tick = (seq: number) => encodeFrame('#tick', { seq })

/** Sends the frames, then closes, or stays. */
const sends =
  (frames: readonly (Uint8Array | string)[], then: 'close' | 'stay' = 'close') =>
  (socket: ServerSocket) => {
    for (const frame of frames) socket.send(frame)
    if (then === 'close') socket.close()
  }

/** No waiting between connections; what was waited for is noted. */
function impatient(options: Omit<SubscribeOptions, 'protocols'> = {}) {
  const disconnects: Disconnect[] = []
  const pauses: number[] = []
  const settings: typeof options = {
    random: () => 1,
    sleep: async (ms) => void pauses.push(ms),
    onDisconnect: (disconnect) => disconnects.push(disconnect),
    ...options,
  }
  return { settings, disconnects, pauses }
}

const seqOf = (frame: Uint8Array) => {
  const decoded = decodeFrame(frame)
  assert.ok(decoded.kind === 'message')
  return (decoded.body as { seq: number }).seq
}

/** The first `count` sequence numbers; leaves the loop, and thereby the connection. */
async function take(count: number, frames: AsyncIterable<Uint8Array>, each?: (seq: number) => void) {
  const seqs: number[] = []
  for await (const frame of frames) {
    const seq = seqOf(frame)
    seqs.push(seq)
    each?.(seq)
    if (seqs.length === count) break
  }
  return seqs
}

test('frames come as they were sent; leaving the loop closes the connection', async () => {
  let closed: Promise<unknown> | undefined
  await using server = await host((socket) => {
    closed = once(socket, 'close')
    sends([tick(1), tick(2)], 'stay')(socket)
  })
  assert.deepEqual(await take(2, subscribe(`${server.url}/xrpc/com.example.watch?wanted=a`)), [1, 2])
  await closed
  assert.deepEqual(server.asked, ['/xrpc/com.example.watch?wanted=a'])
})

test('after a disconnection the stream goes on from the cursor, asked for anew each time', async () => {
  await using server = await host(sends([tick(1), tick(2)]), sends([tick(3)]), sends([tick(4)], 'stay'))
  const { settings, disconnects } = impatient()
  let cursor: number | undefined
  const frames = subscribe(`${server.url}/s?cursor=0`, { ...settings, cursor: () => cursor })
  const seqs = await take(4, frames, (seq) => {
    cursor = seq
  })
  assert.deepEqual(seqs, [1, 2, 3, 4])
  assert.deepEqual(server.asked, ['/s?cursor=0', '/s?cursor=2', '/s?cursor=3'])
  assert.deepEqual(
    disconnects.map(({ ending, failures }) => [ending, failures]),
    [
      ['closed', 1],
      ['closed', 2],
    ],
  )
})

test('pauses double up to the longest, and begin anew after a connection that lasted', async () => {
  await using server = await host(sends([tick(1)]))
  let nowMs = 0
  let connections = 0
  const { settings, pauses } = impatient({
    now: () => nowMs,
    maxDelayMs: 5_000,
    cursor: () => {
      connections++
      return undefined
    },
  })
  await take(7, subscribe(server.url, settings), () => {
    if (connections === 6) nowMs += 30_000
  })
  assert.deepEqual(pauses, [1000, 2000, 4000, 5000, 5000, 1000])
})

test('jitter takes up to half of a pause away', async () => {
  await using server = await host(sends([tick(1)]))
  const { settings, pauses } = impatient({ random: () => 0 })
  await take(3, subscribe(server.url, settings))
  assert.deepEqual(pauses, [500, 1000])
})

test('what the server says when it closes can be read', async () => {
  await using server = await host((socket) => socket.close(1000, 'OutdatedCursor'), sends([tick(1)], 'stay'))
  const { settings, disconnects } = impatient()
  await take(1, subscribe(server.url, settings))
  assert.deepEqual(
    disconnects.map(({ ending, reason }) => [ending, reason]),
    [['closed', 'OutdatedCursor']],
  )
})

test('a host that cannot be reached is tried again, and given up when so asked', async () => {
  const gone = await host(sends([]))
  await gone[Symbol.asyncDispose]()
  const { settings, disconnects } = impatient({ maxFailures: 2 })
  await assert.rejects(
    take(1, subscribe(gone.url, settings)),
    (error) =>
      error instanceof XrpcError && error.error === 'NetworkError' && error.message.includes(gone.url),
  )
  assert.deepEqual(
    disconnects.map(({ ending }) => ending),
    ['refused', 'refused'],
  )
})

test('[F6] an error frame is thrown, after the frames before it', async () => {
  await using server = await host(
    sends([tick(1), encodeErrorFrame('FutureCursor', 'cursor 9 is ahead of 1')]),
  )
  const seqs: number[] = []
  await assert.rejects(
    async () => {
      for await (const frame of subscribe(server.url, impatient().settings)) seqs.push(seqOf(frame))
    },
    (error) =>
      error instanceof XrpcError &&
      error.error === 'FutureCursor' &&
      error.message === 'cursor 9 is ahead of 1' &&
      error.status === 0,
  )
  assert.deepEqual(seqs, [1])
})

test('a consumer that the server calls too slow connects anew; the caller can decide otherwise', async () => {
  const scripts = [sends([encodeErrorFrame('ConsumerTooSlow', 'keep up')]), sends([tick(1)], 'stay')]
  await using server = await host(...scripts)
  const { settings, disconnects } = impatient()
  assert.deepEqual(await take(1, subscribe(server.url, settings)), [1])
  assert.deepEqual(
    disconnects.map(({ ending, reason }) => [ending, reason]),
    [['error frame', 'ConsumerTooSlow: keep up']],
  )

  await using other = await host(...scripts)
  const strict = impatient({ onErrorFrame: () => 'throw' }).settings
  await assert.rejects(take(1, subscribe(other.url, strict)), /keep up/)

  await using future = await host(sends([encodeErrorFrame('FutureCursor')]), sends([tick(1)], 'stay'))
  const lenient = impatient({ onErrorFrame: () => 'reconnect' }).settings
  assert.deepEqual(await take(1, subscribe(future.url, lenient)), [1])
})

test('silence ends a connection when a timeout is set', async () => {
  await using server = await host(sends([tick(1)], 'stay'), sends([tick(2)], 'stay'))
  const { settings, disconnects } = impatient({ idleTimeoutMs: 20 })
  assert.deepEqual(await take(2, subscribe(server.url, settings)), [1, 2])
  assert.equal(disconnects[0]?.ending, 'idle')
})

test('a consumer that does not keep up gets what waits, then goes on from its cursor', async () => {
  let droppedBySlow: Promise<unknown> | undefined
  const all = Array.from({ length: 200 }, (_, index) => index + 1)
  await using server = await host(
    (socket) => {
      droppedBySlow = once(socket, 'close')
      sends(all.map(tick), 'stay')(socket)
    },
    // Everything after the cursor, as a server with a log does.
    (socket) => {
      const cursor = Number(new URL(server.asked.at(-1)!, server.url).searchParams.get('cursor'))
      sends(all.filter((seq) => seq > cursor).map(tick), 'stay')(socket)
    },
  )
  const { settings, disconnects } = impatient({ maxBufferBytes: 50 * tick(1).length })
  let cursor = 0
  const seqs: number[] = []
  for await (const frame of subscribe(server.url, { ...settings, cursor: () => cursor })) {
    cursor = seqOf(frame)
    seqs.push(cursor)
    if (cursor === 1) await droppedBySlow
    if (cursor === 200) break
  }
  assert.deepEqual(seqs, all)
  assert.equal(disconnects[0]?.ending, 'overflow')
})

test('thousands of frames that wait come in order', async () => {
  const all = Array.from({ length: 3_000 }, (_, index) => index + 1)
  await using server = await host(sends(all.map(tick), 'stay'))
  assert.deepEqual(await take(3_000, subscribe(server.url)), all)
})

test('a frame that is larger than the buffer is let in when it comes alone', async () => {
  await using server = await host(sends([tick(1)], 'stay'))
  const { settings } = impatient({ maxBufferBytes: 1 })
  assert.deepEqual(await take(1, subscribe(server.url, settings)), [1])
})

test('another WebSocket can be used, as long as it behaves like the global one', async () => {
  await using server = await host(sends([tick(1)], 'stay'))
  const open = (url: URL, protocols: string[]) => new OtherWebSocket(url, protocols) as unknown as WebSocket
  assert.deepEqual(await take(1, subscribe(server.url, { open })), [1])

  const whileConnecting = new AbortController()
  const openAndAbort = (url: URL, protocols: string[]) => {
    setImmediate(() => whileConnecting.abort())
    return open(url, protocols)
  }
  const { signal } = whileConnecting
  assert.deepEqual(await take(1, subscribe(server.url, { open: openAndAbort, signal })), [])
})

test('an abort ends the loop without an error: while connected, while pausing, and beforehand', async () => {
  await using server = await host(sends([tick(1), tick(2)], 'stay'))
  const whileConnected = new AbortController()
  const seqs = await take(9, subscribe(server.url, { signal: whileConnected.signal }), () =>
    whileConnected.abort(),
  )
  assert.deepEqual(seqs, [1])

  await using closing = await host(sends([]))
  const whilePausing = new AbortController()
  const onDisconnect = () => setImmediate(() => whilePausing.abort())
  assert.deepEqual(await take(1, subscribe(closing.url, { signal: whilePausing.signal, onDisconnect })), [])

  assert.deepEqual(await take(1, subscribe(server.url, { signal: AbortSignal.abort() })), [])
  assert.equal(server.asked.length, 1)
})

test('typed messages carry the whole reference in $type, in every protocol', async () => {
  const info = { $type: 'com.example.watch#info' }
  const json = JSON.stringify({ $type: 'message', payload: { $type: 'com.example.watch#tick', seq: 2 } })
  const cbor = encode({ $type: 'message', payload: info })
  for (const [frame, expected, protocols] of [
    [tick(1), { $type: 'com.example.watch#tick', seq: 1 }, []],
    [json, { $type: 'com.example.watch#tick', seq: 2 }, ['xrpc.v1.json']],
    [cbor, info, ['xrpc.v1.cbor']],
  ] as const) {
    await using server = await host(sends([frame], 'stay'))
    for await (const message of subscribeMessages(watch, { service: server.url, protocols })) {
      assert.deepEqual(message, expected)
      break
    }
  }
})

test('frames of unknown operation and type, and messages against the schema, are left out and told of', async () => {
  const unknownOp = Buffer.concat([encode({ op: 4 }), encode({})])
  await using server = await host(
    sends(
      [unknownOp, encodeFrame('#tomorrow', { seq: 1 }), encodeFrame('#tick', { seq: 'x' }), tick(3)],
      'stay',
    ),
  )
  const ignored: Ignored[] = []
  const messages = subscribeMessages(watch, {
    service: server.url,
    onIgnored: (frame) => ignored.push(frame),
  })
  for await (const message of messages) {
    assert.deepEqual(message, { $type: 'com.example.watch#tick', seq: 3 })
    break
  }
  assert.deepEqual(
    ignored.map(({ reason, type, issue }) => [reason, type, issue?.path]),
    [
      ['unknown', undefined, undefined],
      ['unknown', 'com.example.watch#tomorrow', undefined],
      ['invalid', 'com.example.watch#tick', '/seq'],
    ],
  )
})

test('typed messages go on after the last one that the loop finished', async () => {
  await using server = await host(sends([tick(4), tick(5)]), sends([tick(6)], 'stay'))
  const messages = subscribeMessages(watch, {
    ...impatient().settings,
    service: server.url,
    params: { cursor: 3 },
  })
  for await (const message of messages) if ('seq' in message && message.seq === 6) break
  assert.deepEqual(server.asked, ['/xrpc/com.example.watch?cursor=3', '/xrpc/com.example.watch?cursor=5'])
})

test('a frame that cannot be read is thrown to the caller', async () => {
  await using server = await host(sends([new Uint8Array([0xff])], 'stay'))
  await assert.rejects(subscribeMessages(watch, { service: server.url }).next(), FrameError)
})
