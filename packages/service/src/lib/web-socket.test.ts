import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import test from 'node:test'
import { WebSocket } from 'ws'
import { type ServeOptions, type Server, serve } from './serve.ts'
import { ConsumerTooSlowError, type Upgrade } from './upgrade.ts'

function start(upgrade: ServeOptions['upgrade'], options: Partial<ServeOptions> = {}): Promise<Server> {
  return serve({ fetch: () => new Response('hello'), hostname: 'localhost', port: 0, upgrade, ...options })
}

/** One text message, framed as a server frames it. */
function framed(message: string): Uint8Array {
  const payload = Buffer.from(message)
  return Buffer.concat([Buffer.from([0x81, payload.length]), payload])
}

interface Heard {
  readonly messages: string[]
  readonly code: number
  readonly reason: string
}

/** Everything a client hears until the socket closes. */
function hear(
  server: Server,
  protocols: string[] = [],
  onOpen?: (socket: WebSocket) => void,
): Promise<Heard> {
  const socket = new WebSocket(`ws://localhost:${server.port}/stream`, protocols)
  const messages: string[] = []
  socket.on('message', (data) => messages.push(String(data)))
  socket.on('open', () => onOpen?.(socket))
  return new Promise((resolve, reject) => {
    socket.on('error', reject)
    socket.on('close', (code, reason) => resolve({ messages, code, reason: String(reason) }))
  })
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve())
  })
}

/** A stream that ends at once. */
async function* none(): AsyncGenerator<readonly Uint8Array[]> {
  yield* []
}

/** A stream that says nothing until it is told to end. */
async function* quiet(signal: AbortSignal): AsyncGenerator<readonly Uint8Array[]> {
  await untilAborted(signal)
  yield* []
}

test('framed messages arrive as they are, then the socket closes', async () => {
  await using server = await start((request) => ({
    async *messages() {
      yield [framed(new URL(request.url).pathname), framed('two')]
      yield [Buffer.concat([framed('three'), framed('four')])]
    },
  }))
  assert.deepEqual(await hear(server), {
    messages: ['/stream', 'two', 'three', 'four'],
    code: 1000,
    reason: '',
  })
})

test('an upgrade can be refused with a response, or fail', async () => {
  const errors: unknown[] = []
  await using server = await start(
    (request) => {
      if (request.headers.get('x-fail')) throw new Error('broken')
      return Response.json({ error: 'InvalidRequest' }, { status: 400 })
    },
    { onUnexpectedError: (error) => errors.push(error) },
  )
  await assert.rejects(hear(server), /400/)
  const socket = new WebSocket(`ws://localhost:${server.port}/`, { headers: { 'x-fail': '1' } })
  assert.match(String((await once(socket, 'error'))[0] ?? ''), /500/)
  assert.equal(errors.length, 1)
  assert.equal(server.webSockets, 0)
})

test('a Host that is more than a name and a port is refused, as it is for other requests', async () => {
  const asked: string[] = []
  const errors: unknown[] = []
  await using server = await start(
    (request) => {
      asked.push(request.url)
      return new Response(null, { status: 404 })
    },
    { onUnexpectedError: (error) => errors.push(error) },
  )
  const statusOf = async (host: string) => {
    const socket = connect(server.port, 'localhost')
    socket.end(`GET /stream HTTP/1.1\r\nHost: ${host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`)
    let answer = ''
    for await (const piece of socket) answer += piece
    return answer.split(' ')[1]
  }
  for (const host of ['a.test', 'A.test:80', 'a.test:8080', '[::1]:80', 'x_y.test'])
    assert.equal(await statusOf(host), '404', host)
  for (const host of ['a.test/other?', 'user@a.test', 'a.test#', 'a.test?', 'a\\b', ''])
    assert.equal(await statusOf(host), '400', host)
  assert.equal(asked.length, 5)
  assert.deepEqual(errors, [])
})

test('only the agreed protocol is echoed', async () => {
  const upgrade: Upgrade = { protocol: 'xrpc.v1.json', messages: none }
  await using server = await start((request) =>
    request.headers.has('sec-websocket-protocol') ? upgrade : { messages: none },
  )
  let agreed = ''
  await hear(server, ['other', 'xrpc.v1.json'], (socket) => {
    agreed = socket.protocol
  })
  assert.equal(agreed, 'xrpc.v1.json')
})

test('an error that the protocol names is told and closes with 1008; another is reported and closes with 1011', async () => {
  const errors: unknown[] = []
  const failures = [
    Object.assign(new Error('too high'), { code: 'FutureCursor' }),
    Object.assign(new Error('bug'), { code: 'Corrupt' }),
  ]
  await using server = await start(
    () => ({
      async *messages() {
        yield [framed('one')]
        throw failures.shift()
      },
      errorMessage: (error) => framed(`error: ${(error as Error).message}`),
    }),
    { onUnexpectedError: (error) => errors.push(error) },
  )
  assert.deepEqual(await hear(server), {
    messages: ['one', 'error: too high'],
    code: 1008,
    reason: 'FutureCursor',
  })
  assert.equal(errors.length, 0)
  const { code, reason } = await hear(server)
  assert.deepEqual([code, reason, errors.length], [1011, 'InternalServerError', 1])
})

test('a stream says itself how its socket closes', async () => {
  await using server = await start(() => ({
    messages: async function* () {
      yield* []
      throw new Error('old')
    },
    closeFor: (error) => ({ code: 1000, reason: `Outdated${(error as Error).message}${'é'.repeat(100)}` }),
  }))
  const { code, reason, messages } = await hear(server)
  assert.deepEqual([code, messages], [1000, []])
  assert.match(reason, /^Outdatedoldé+$/)
})

test('messages from the client reach the stream; a bad one ends it', async () => {
  await using server = await start(() => {
    const got: (string | Uint8Array)[] = []
    const changed = Promise.withResolvers<void>()
    return {
      async *messages(signal) {
        await changed.promise
        yield [framed(`got ${got.map((one) => (typeof one === 'string' ? one : [...one])).join()}`)]
        await untilAborted(signal)
      },
      onMessage: (data) => {
        if (data === 'bad') throw Object.assign(new Error('bad options'), { error: 'InvalidOptions' })
        got.push(data)
        if (got.length === 2) changed.resolve()
      },
      errorMessage: (error) => framed((error as Error).message),
    }
  })
  const heard = await hear(server, [], (socket) => {
    socket.send('options')
    socket.send(Uint8Array.of(1, 2))
    socket.on('message', () => socket.send('bad'))
  })
  assert.deepEqual(heard, {
    messages: ['got options,1,2', 'bad options'],
    code: 1008,
    reason: 'InvalidOptions',
  })
})

test('a message that is too large closes the socket', async () => {
  await using server = await start(
    () => ({
      messages: quiet,
    }),
    { maxMessageBytes: 100 },
  )
  const { code } = await hear(server, [], (socket) => socket.send('x'.repeat(101)))
  assert.equal(code, 1009)
})

test('when the client leaves, its stream ends', async () => {
  const ended = Promise.withResolvers<void>()
  await using server = await start(() => ({
    async *messages(signal) {
      yield [framed('one')]
      await untilAborted(signal)
      ended.resolve()
    },
  }))
  await hear(server, [], (socket) => socket.once('message', () => socket.close()))
  await ended.promise
})

test('stopping says goodbye', async () => {
  const server = await start(() => ({
    async *messages(signal) {
      yield [framed('one')]
      await untilAborted(signal)
    },
  }))
  const stopped = Promise.withResolvers<void>()
  const heard = hear(server, [], (socket) =>
    socket.once('message', () => stopped.resolve(server[Symbol.asyncDispose]())),
  )
  assert.deepEqual(await heard, { messages: ['one'], code: 1001, reason: 'the server is stopping' })
  await stopped.promise
  assert.equal(server.webSockets, 0)
})

test('a consumer that takes nothing is told so and cut off; the stream waits meanwhile', async () => {
  const big = Buffer.concat([Buffer.from([0x82, 127, 0, 0, 0, 0, 0, 0x10, 0, 0]), Buffer.alloc(0x100000)])
  let batches = 0
  const failure = Promise.withResolvers<unknown>()
  await using server = await start(
    () => ({
      async *messages() {
        for (;;) {
          batches++
          yield [big]
        }
      },
      errorMessage: (error) => {
        failure.resolve(error)
        return framed('ConsumerTooSlow')
      },
    }),
    { drainTimeoutMs: 20, stopTimeoutMs: 1 },
  )
  const socket = connect(server.port, '127.0.0.1')
  socket.on('error', () => {})
  socket.pause()
  socket.write(
    'GET /stream HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
      'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  )
  assert.ok((await failure.promise) instanceof ConsumerTooSlowError)
  assert.ok(batches < 100, `${batches} MiB were asked for: only what the system's buffers took`)
  socket.destroy()
})

test('a peer that answers no ping is cut off, one that does is not', async () => {
  await using server = await start(
    () => ({
      messages: quiet,
    }),
    { pingIntervalMs: 20 },
  )
  const silent = new WebSocket(`ws://localhost:${server.port}/`, { autoPong: false })
  const lively = new WebSocket(`ws://localhost:${server.port}/`)
  let pings = 0
  lively.on('ping', () => pings++)
  await once(silent, 'close')
  while (pings < 4) await once(lively, 'ping')
  assert.equal(lively.readyState, WebSocket.OPEN)
  lively.close()
  await once(lively, 'close')
})
