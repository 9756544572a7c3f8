import assert from 'node:assert/strict'
import test from 'node:test'
import { createSafeFetch } from '@imago/identity/node'
import { serve } from '@imago/service'
import { decodeFrame, webSocketMessage } from '@imago/xrpc/frames'
import { subscribe } from '@imago/xrpc/subscribe'
import { createVettedWebSocket } from './hosts/vetted-web-socket.ts'
import { startTestRelay, until } from './test-relay.fixture.ts'

test('over real sockets, from a host through the relay to a reader', async () => {
  const fetch = createSafeFetch({ allow: (url) => url.hostname === 'localhost' })
  await using t = await startTestRelay({
    options: {
      fetch,
      openWebSocket: createVettedWebSocket({ allow: (url) => url.hostname === 'localhost' }),
    },
  })
  const frames: Uint8Array[] = []
  await using pds = await serve({
    hostname: 'localhost',
    port: 0,
    fetch: async () => Response.json({ did: 'did:web:localhost' }),
    upgrade: () => ({
      async *messages(signal) {
        for (let sent = 0; !signal.aborted; await new Promise((resolve) => setTimeout(resolve, 1)))
          for (; sent < frames.length; sent++) yield [webSocketMessage(frames[sent]!, 'binary')]
      },
    }),
  })
  await using server = await serve({ ...t.relay, hostname: 'localhost', port: 0 })
  const crawl = await globalThis.fetch(`${server.url}/xrpc/com.atproto.sync.requestCrawl`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ hostname: pds.url }),
  })
  assert.equal(crawl.status, 200)
  assert.equal(crawl.headers.get('server'), 'atproto-relay (imago)')

  const host = t.network.host(`localhost:${pds.port}`)
  const alice = t.network.account(host)
  host.send(alice.commit(), alice.commit())
  frames.push(...host.frames.map(({ bytes }) => bytes))
  const stop = new AbortController()
  const seqs: unknown[] = []
  for await (const bytes of subscribe(`${server.url}/xrpc/com.atproto.sync.subscribeRepos?cursor=0`, {
    signal: stop.signal,
  })) {
    const frame = decodeFrame(bytes)
    assert.ok(frame.kind === 'message')
    seqs.push(frame.body['seq'])
    if (seqs.length === 2) break
  }
  stop.abort()
  assert.deepEqual(seqs, [1, 2])
})

test('a host that leads to an address that is not public is not dialled', async () => {
  let asked = 0
  await using server = await serve({
    hostname: 'localhost',
    port: 0,
    fetch: () => new Response(),
    upgrade() {
      asked++
      return new Response(null, { status: 404 })
    },
  })
  const url = new URL(`ws://localhost:${server.port}/`)
  const closed = (socket: WebSocket) =>
    new Promise<void>((resolve) => socket.addEventListener('close', () => resolve(), { once: true }))
  await closed(createVettedWebSocket()(url, []))
  assert.equal(asked, 0)
  await closed(createVettedWebSocket({ allow: () => true })(url, []))
  assert.equal(asked, 1)
})

test('a host that vanishes without a word is noticed', async () => {
  const { createServer } = await import('node:net')
  const { createHash } = await import('node:crypto')
  // Opens the WebSocket, and never answers anything again.
  const sockets: { destroy(): void }[] = []
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.once('data', (head) => {
      const key = /sec-websocket-key: (\S+)/i.exec(head.toString())![1]!
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
      )
    })
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const socket = createVettedWebSocket({ allow: () => true, heartbeatMs: 5 })(
    new URL(`ws://127.0.0.1:${port}/`),
    [],
  )
  let opened = false
  let closed = false
  socket.addEventListener('open', () => {
    opened = true
  })
  socket.addEventListener('close', () => {
    closed = true
  })
  await until(() => closed)
  assert.ok(opened)
  for (const one of sockets) one.destroy()
  await new Promise((resolve) => server.close(resolve))
})
