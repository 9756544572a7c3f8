import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { connect, createServer as createTcpServer, type Socket } from 'node:net'
import test from 'node:test'
import { Reply } from '@imago/xrpc/server'
import { ListenError } from './listen.ts'
import { type ServeOptions, type Server, serve } from './serve.ts'

const hello = () => new Response('hello')
const start = (options: Partial<ServeOptions>): Promise<Server> =>
  serve({ fetch: hello, hostname: 'localhost', port: 0, ...options })

async function hasIpv6(): Promise<boolean> {
  const probe = createTcpServer()
  const works = await new Promise<boolean>((resolve) => {
    probe.once('error', () => resolve(false))
    probe.listen(0, '::1', () => resolve(true))
  })
  if (works) await new Promise((resolve) => probe.close(resolve))
  return works
}

test('localhost answers on both loopback addresses', async () => {
  await using server = await start({})
  assert.equal(server.url, `http://localhost:${server.port}`)
  const hosts = (await hasIpv6()) ? ['localhost', '127.0.0.1', '[::1]'] : ['localhost', '127.0.0.1']
  for (const host of hosts)
    assert.equal(await (await fetch(`http://${host}:${server.port}/`)).text(), 'hello', host)
})

test('a port that is taken is named, with the way out', async () => {
  await using server = await start({})
  const again = (portSetting?: string) => start({ port: server.port, portSetting })
  await assert.rejects(again('PDS_PORT'), (error) => {
    assert.ok(error instanceof ListenError)
    assert.deepEqual([error.code, error.port], ['EADDRINUSE', server.port])
    assert.match(error.message, new RegExp(`port ${server.port} is in use: .*set PDS_PORT to another port`))
    return true
  })
  await assert.rejects(again(), /choose another port/)
  await assert.rejects(start({ hostname: '192.0.2.1' }), /this machine has no address '192.0.2.1'/)
})

test('a request knows where it came from', async () => {
  await using server = await start({
    fetch: (request, { remoteAddress }) => Response.json([new URL(request.url).pathname, remoteAddress]),
  })
  assert.deepEqual(await (await fetch(`http://127.0.0.1:${server.port}/a/b`)).json(), ['/a/b', '127.0.0.1'])
})

test('bodies stream both ways: the answer begins before the question ends', async () => {
  await using server = await start({
    fetch: (request) =>
      new Response(request.body, { headers: { 'content-type': 'application/octet-stream' } }),
  })
  const outgoing = httpRequest(`${server.url}/`, { method: 'POST' })
  outgoing.write('first')
  const [incoming] = await once(outgoing, 'response')
  assert.equal(String((await once(incoming, 'data'))[0]), 'first')
  const ended = once(incoming, 'end')
  outgoing.end('last')
  assert.equal(String((await once(incoming, 'data'))[0]), 'last')
  await ended
})

test('a short body has a length; headers arrive as they were set', async () => {
  await using server = await start({
    fetch: () => {
      const response = new Response('hello', { status: 201 })
      response.headers.append('set-cookie', 'a=1')
      response.headers.append('set-cookie', 'b=2')
      return response
    },
  })
  const response = await fetch(server.url)
  assert.deepEqual([response.status, response.headers.get('content-length')], [201, '5'])
  assert.deepEqual(response.headers.getSetCookie(), ['a=1', 'b=2'])
  const head = await fetch(server.url, { method: 'HEAD' })
  assert.deepEqual([head.status, await head.text()], [201, ''])
})

test('an answer that is no Response arrives like one: texts, bytes and nothing, with its headers', async () => {
  const replies: Record<string, Reply> = {
    '/text': new Reply(200, { 'content-type': 'text/plain', 'set-cookie': ['a=1', 'b=2'] }, 'Grüße'),
    '/bytes': new Reply(201, { 'content-type': 'text/plain' }, new TextEncoder().encode('Grüße')),
    '/nothing': new Reply(204, { vary: 'Accept' }, null),
  }
  await using server = await start({
    fetch: () => assert.fail('answer goes first'),
    answer: (request) => replies[new URL(request.url).pathname] ?? new Response('a page'),
  })
  const text = await fetch(`${server.url}/text`)
  assert.deepEqual([text.status, await text.text()], [200, 'Grüße'])
  assert.deepEqual([text.headers.get('content-length'), text.headers.getSetCookie()], ['7', ['a=1', 'b=2']])
  const bytes = await fetch(`${server.url}/bytes`)
  assert.deepEqual(
    [bytes.status, bytes.headers.get('content-length'), await bytes.text()],
    [201, '7', 'Grüße'],
  )
  const nothing = await fetch(`${server.url}/nothing`)
  assert.deepEqual([nothing.status, nothing.headers.get('vary'), await nothing.text()], [204, 'Accept', ''])
  assert.equal(await (await fetch(`${server.url}/other`)).text(), 'a page')
  const head = await fetch(`${server.url}/text`, { method: 'HEAD' })
  assert.deepEqual(
    [head.status, head.headers.get('content-type'), await head.text()],
    [200, 'text/plain', ''],
  )
})

test('an answer that fails is reported, not shown', async () => {
  const reported: unknown[] = []
  await using server = await start({
    answer: () => Promise.reject(new Error('secret')),
    onUnexpectedError: (error) => reported.push(error),
  })
  const response = await fetch(server.url)
  assert.deepEqual([response.status, (await response.text()).includes('secret')], [500, false])
  assert.match(String(reported), /secret/)
})

test('a large body arrives whole', async () => {
  const chunk = new Uint8Array(100_000).fill(7)
  await using server = await start({
    fetch: () => {
      let left = 50
      return new Response(
        new ReadableStream({
          pull: (controller) => (left-- > 0 ? controller.enqueue(chunk) : controller.close()),
        }),
      )
    },
  })
  const bytes = await (await fetch(server.url)).bytes()
  assert.equal(bytes.length, 5_000_000)
  assert.ok(bytes.every((byte) => byte === 7))
})

test('a body that fails halfway is not mistaken for a whole one, and the failure is reported', async () => {
  const errors: unknown[] = []
  const broken = new Error('disk gone')
  await using server = await start({
    onUnexpectedError: (error) => errors.push(error),
    fetch: () => {
      let pulls = 0
      return new Response(
        new ReadableStream({
          pull: async (controller) => {
            await new Promise((resolve) => setImmediate(resolve))
            if (++pulls > 3) throw broken
            controller.enqueue(new Uint8Array(1000))
          },
        }),
      )
    },
  })
  await assert.rejects(async () => (await fetch(server.url)).bytes())
  assert.deepEqual(errors, [broken])
})

test('what a handler throws is reported, not shown', async () => {
  const errors: unknown[] = []
  await using server = await start({
    onUnexpectedError: (error) => errors.push(error),
    fetch: () => {
      throw new Error('password is hunter2')
    },
  })
  const response = await fetch(server.url)
  assert.equal(response.status, 500)
  assert.deepEqual(await response.json(), { error: 'InternalServerError', message: 'Internal Server Error' })
  assert.equal(errors.length, 1)
})

test('a client that goes away ends the request and the body', async () => {
  const gone = Promise.withResolvers<void>()
  const cancelled = Promise.withResolvers<void>()
  await using server = await start({
    fetch: (request) => {
      request.signal.addEventListener('abort', () => gone.resolve())
      return new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(1000)),
          cancel: () => cancelled.resolve(),
        }),
      )
    },
  })
  const end = new AbortController()
  const response = await fetch(server.url, { signal: end.signal })
  await response.body!.getReader().read()
  end.abort()
  await Promise.all([gone.promise, cancelled.promise])
})

test('a client that went away before there was an answer ends its body', async () => {
  const asked = Promise.withResolvers<void>()
  const cancelled = Promise.withResolvers<number>()
  let pulled = 0
  await using server = await start({
    fetch: async (request) => {
      asked.resolve()
      await new Promise((resolve) => request.signal.addEventListener('abort', resolve))
      // An answer that takes a while to come about, as most do.
      await new Promise((resolve) => setImmediate(resolve))
      return new Response(
        new ReadableStream({
          pull(controller) {
            controller.enqueue(new Uint8Array(1000))
            if (++pulled === 1000) {
              controller.close()
              cancelled.reject(new Error('it was read to its end'))
            }
          },
          cancel: () => cancelled.resolve(pulled),
        }),
      )
    },
  })
  const end = new AbortController()
  const response = fetch(server.url, { signal: end.signal })
  await asked.promise
  end.abort()
  await assert.rejects(response, { name: 'AbortError' })
  assert.ok((await cancelled.promise) < 10)
})

test('stopping lets a request finish and takes no more', async () => {
  const arrived = Promise.withResolvers<void>()
  const release = Promise.withResolvers<void>()
  const stop = new AbortController()
  const server = await start({
    signal: stop.signal,
    fetch: async () => {
      arrived.resolve()
      await release.promise
      return new Response('finished')
    },
  })
  const answer = fetch(server.url)
  await arrived.promise
  stop.abort()
  await assert.rejects(fetch(`${server.url}/second`))
  release.resolve()
  assert.equal(await (await answer).text(), 'finished')
  await server[Symbol.asyncDispose]()
})

test('stopping waits only so long', async () => {
  const arrived = Promise.withResolvers<void>()
  const server = await start({
    stopTimeoutMs: 1,
    fetch: () => {
      arrived.resolve()
      return new Promise<Response>(() => {})
    },
  })
  const answer = assert.rejects(fetch(server.url))
  await arrived.promise
  await server[Symbol.asyncDispose]()
  await answer
})

test('nonsense on the wire harms nobody', async () => {
  await using server = await start({ upgrade: hello })
  for (const nonsense of [
    '\0\0\0\r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n',
    'GET nowhere HTTP/1.1\r\nHost: a b\r\n\r\n',
  ]) {
    const socket: Socket = connect(server.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.end(nonsense)
    let answer = ''
    for await (const chunk of socket) answer += chunk
    assert.match(answer, /^HTTP\/1.1 400/, JSON.stringify(nonsense))
  }
  assert.equal(await (await fetch(server.url)).text(), 'hello')
})
