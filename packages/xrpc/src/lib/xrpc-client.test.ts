import assert from 'node:assert/strict'
import test from 'node:test'
import { cidOfRaw } from '@imago/data'
import { LexiconError } from '@imago/lexicon'
import { echo, getCount, getFile, listItems, putCount, touch, upload } from './example-methods.ts'
import { method } from './method.ts'
import { pages } from './pages.ts'
import { errorReply } from './reply.ts'
import { jitteredRetry } from './retry.ts'
import { type ClientOptions, createClient } from './xrpc-client.ts'
import { invalidRequest, rateLimited, XrpcError } from './xrpc-error.ts'
import { createXrpcServer } from './xrpc-server.ts'

const server = createXrpcServer({
  methods: [
    method(getCount, ({ params }) => {
      if (params.tag === 'none') throw invalidRequest('there is no counter "none"', 'NoSuchCounter')
      return { count: params.step }
    }),
    method(listItems, ({ params }) => {
      const at = Number(params.cursor ?? 0)
      return at < 3 ? { items: [`item ${at}`], cursor: String(at + 1) } : { items: [] }
    }),
    method(putCount, () => undefined),
    method(touch, () => undefined),
    method(echo, ({ input }) => input),
    method(
      getFile,
      () => new Response('car bytes', { headers: { 'content-type': 'application/vnd.ipld.car' } }),
    ),
    method(upload, async ({ input }) => {
      const { size } = await new Response(input.body).blob()
      return { size, type: input.encoding }
    }),
  ],
  onUnexpectedError: (error) => {
    throw error
  },
})

/** A client whose requests go straight into a server, or to what a test answers; what was sent can be looked at. */
function connect(
  options: Partial<ClientOptions> = {},
  answer: (request: Request) => Response | Promise<Response> = (request) => server.fetch(request),
) {
  const sent: Request[] = []
  const client = createClient({
    service: 'https://host.test',
    fetch: async (input, init) => {
      const request = new Request(input as string, init)
      sent.push(request.clone())
      return answer(request)
    },
    ...options,
  })
  return { client, sent }
}

const isXrpcError = (status: number, error: string, message?: RegExp) => (thrown: unknown) => {
  assert.ok(thrown instanceof XrpcError, String(thrown))
  assert.deepEqual([thrown.status, thrown.error], [status, error])
  if (message) assert.match(thrown.message, message)
  return true
}

test('a query sends its parameters, defaults spelled out, and gives the typed output', async () => {
  const { client, sent } = connect()
  const { count } = await client.call(getCount)
  assert.equal(count, 1)
  assert.equal((await client.call(getCount, { params: { step: 4, tag: 'a b&c' } })).count, 4)
  assert.deepEqual(
    sent.map(({ url }) => url),
    [
      'https://host.test/xrpc/com.example.getCount?step=1',
      'https://host.test/xrpc/com.example.getCount?step=4&tag=a+b%26c',
    ],
  )
})

test('the path of the service URL does not count, its port does', async () => {
  const { client, sent } = connect({ service: new URL('http://localhost:2583/some/path?x') })
  await client.call(getCount)
  assert.equal(client.service, 'http://localhost:2583')
  assert.ok(sent[0]?.url.startsWith('http://localhost:2583/xrpc/com.example.getCount'))
})

test('a service that is not a web address is refused, by name', () => {
  assert.throws(() => createClient({ service: 'ftp://host.test' }), /not ftp:\/\/host\.test/)
  assert.throws(() => createClient({ service: 'host' }), TypeError)
})

test('links and bytes go out and come back as Cid and Uint8Array', async () => {
  const input = { link: cidOfRaw(new Uint8Array([1])), bytes: new Uint8Array([2]), text: 'é' }
  const { client, sent } = connect()
  assert.deepEqual(await client.call(echo, { input }), input)
  assert.equal(sent[0]?.headers.get('content-type'), 'application/json')
  assert.equal(sent[0]?.method, 'POST')
})

test('a procedure without input and output sends nothing and gives nothing', async () => {
  const { client, sent } = connect()
  assert.equal(await client.call(touch), undefined)
  assert.equal(sent[0]?.body, null)
  assert.equal(sent[0]?.headers.get('content-type'), null)
})

test('raw bodies: a blob brings its type, bytes take the one that is given, streams go through', async () => {
  const { client } = connect()
  const send = (input: NonNullable<RequestInit['body']>, encoding?: string) =>
    client.call(upload, { input, encoding })
  assert.deepEqual(await send(new Blob(['abc'], { type: 'image/png' })), { size: 3, type: 'image/png' })
  assert.deepEqual(await send(new Uint8Array(5)), { size: 5, type: 'application/octet-stream' })
  assert.deepEqual(await send(new Uint8Array(5), 'video/mp4'), { size: 5, type: 'video/mp4' })
  assert.deepEqual(await send(new Blob(['abcd']).stream(), 'image/jpeg'), { size: 4, type: 'image/jpeg' })
})

test('a raw output is the Response', async () => {
  const response = await connect().client.call(getFile)
  assert.equal(await response.text(), 'car bytes')
})

test('what the server refuses is thrown as the error that it named, with its headers', async () => {
  const { client } = connect()
  await assert.rejects(
    client.call(getCount, { params: { tag: 'none' } }),
    isXrpcError(400, 'NoSuchCounter', /there is no counter "none"/),
  )
  const limited = await connect({}, () => errorReply(rateLimited(7)).toResponse()).client.tryCall(getCount)
  assert.ok(!limited.ok)
  assert.deepEqual([limited.error.status, limited.error.headers?.get('retry-after')], [429, '7'])
})

test('tryCall gives failures as values', async () => {
  const { client } = connect()
  const bad = await client.tryCall(getCount, { params: { tag: 'none' } })
  assert.ok(!bad.ok)
  assert.equal(bad.error.error, 'NoSuchCounter')
  const good = await client.tryCall(getCount)
  assert.ok(good.ok)
  assert.equal(good.output.count, 1)
  assert.equal(good.headers.get('content-type'), 'application/json')
})

test('errors that are not XRPC errors are named after their status', async () => {
  const answers: [Response, number, string, RegExp][] = [
    [
      new Response('<html>Bad gateway</html>', { status: 502, statusText: 'Bad Gateway' }),
      502,
      'UpstreamFailure',
      /Bad Gateway/,
    ],
    [new Response(null, { status: 401 }), 401, 'AuthenticationRequired', /HTTP status 401/],
    [Response.json({ error: 'two words', message: 5 }, { status: 400 }), 400, 'InvalidRequest', /400/],
    [Response.json(null, { status: 500 }), 500, 'InternalServerError', /500/],
    [Response.json({ error: 'Odd' }, { status: 418 }), 418, 'Odd', /418/],
    [new Response('x'.repeat(100_000), { status: 404 }), 404, 'NotFound', /404/],
  ]
  for (const [answer, status, error, message] of answers)
    await assert.rejects(connect({}, () => answer).client.call(getCount), isXrpcError(status, error, message))
})

test('an answer that is not what the schema says is InvalidResponse, and names the place', async () => {
  const reply = (body: string, type = 'application/json') =>
    connect({}, () => new Response(body, { headers: { 'content-type': type } })).client
  const invalid = (message: RegExp) => isXrpcError(200, 'InvalidResponse', message)
  await assert.rejects(reply('{"count":"many"}').call(getCount), invalid(/output\/count .*integer.*"many"/))
  await assert.rejects(reply('{"count":').call(getCount), invalid(/not JSON/))
  await assert.rejects(reply('<html>', 'text/html').call(getCount), invalid(/text\/html/))
  const unchecked = await reply('{"count":"many"}').call(getCount, { checkOutput: false })
  assert.deepEqual(unchecked, { count: 'many' })
})

test('input is checked on request, parameters always; nothing is sent', async () => {
  const { client, sent } = connect()
  const wrong = { count: 'many' } as never
  await assert.rejects(client.call(putCount, { input: wrong, checkInput: true }), LexiconError)
  await assert.rejects(client.call(getCount, { params: { step: 1.5 } }), LexiconError)
  assert.equal(sent.length, 0)
  await assert.rejects(client.call(putCount, { input: wrong }), isXrpcError(400, 'InvalidRequest'))
})

test('headers: those of the client, the token, the proxy and the labelers; a call has the last word', async () => {
  const { client, sent } = connect({
    headers: { 'user-agent': 'imago', 'x-both': 'client' },
    auth: async () => 'Bearer token',
    proxy: 'did:web:api.test#bsky_appview',
    labelers: ['did:web:a.test', 'did:web:b.test'],
  })
  await client.call(getCount, { headers: { 'x-both': 'call' } })
  await client.call(getCount, { proxy: 'did:web:chat.test#chat', labelers: [] })
  const header = (name: string) => sent.map(({ headers }) => headers.get(name))
  assert.deepEqual(header('user-agent'), ['imago', 'imago'])
  assert.deepEqual(header('x-both'), ['call', 'client'])
  assert.deepEqual(header('authorization'), ['Bearer token', 'Bearer token'])
  assert.deepEqual(header('atproto-proxy'), ['did:web:api.test#bsky_appview', 'did:web:chat.test#chat'])
  assert.deepEqual(header('atproto-accept-labelers'), ['did:web:a.test, did:web:b.test', ''])
})

test('a network failure is an XrpcError with status 0 that says why', async () => {
  const { client } = connect({}, () => {
    throw new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') })
  })
  await assert.rejects(client.call(getCount), isXrpcError(0, 'NetworkError', /host\.test.*ECONNREFUSED/))
})

test('an answer that breaks off is a network failure', async () => {
  const broken = new ReadableStream({
    pull(controller) {
      controller.error(new Error('socket hang up'))
    },
  })
  const { client } = connect(
    {},
    () => new Response(broken, { headers: { 'content-type': 'application/json' } }),
  )
  await assert.rejects(client.call(getCount), isXrpcError(0, 'NetworkError', /getCount: socket hang up/))
})

test('an aborted call rejects with the reason of the signal', async () => {
  const reason = new Error('no longer needed')
  const { client } = connect({ fetch: async (_, init) => Promise.reject(init?.signal?.reason) })
  await assert.rejects(client.call(getCount, { signal: AbortSignal.abort(reason) }), reason)
})

test('request calls by NSID alone, and still throws what the server refuses', async () => {
  const { client } = connect()
  const response = await client.request('com.example.getCount', { query: new URLSearchParams({ step: '2' }) })
  assert.deepEqual(await response.json(), { count: 2 })
  await assert.rejects(client.request('com.example.unheardOf'), isXrpcError(501, 'MethodNotImplemented'))
})

test('pages follow the cursor to its end', async () => {
  const { client, sent } = connect()
  const items: string[] = []
  for await (const page of pages(client, listItems)) items.push(...page.items)
  assert.deepEqual(items, ['item 0', 'item 1', 'item 2'])
  assert.equal(sent.length, 4)
})

test('pages stop at a server that repeats its cursor', async () => {
  const { client, sent } = connect({}, () => Response.json({ items: ['x'], cursor: 'same' }))
  for await (const page of pages(client, listItems)) assert.deepEqual(page.items, ['x'])
  assert.equal(sent.length, 2)
})

/** A retry policy that notes its pauses instead of making them. */
function noted(options: Parameters<typeof jitteredRetry>[0] = {}) {
  const pauses: number[] = []
  const retry = jitteredRetry({
    random: () => 0.5,
    sleep: async (ms) => void pauses.push(ms),
    now: () => Date.UTC(2026, 0, 1),
    ...options,
  })
  return { retry, pauses }
}

const failing = (status: number, headers: Record<string, string> = {}) =>
  connect({}, () => Response.json({ error: 'Busy' }, { status, headers }))

test('nothing is tried again unless asked', async () => {
  const { client, sent } = failing(503)
  await assert.rejects(client.call(getCount), isXrpcError(503, 'Busy'))
  assert.equal(sent.length, 1)
})

test('a query is tried again with growing, jittered pauses, then fails with the last answer', async () => {
  const { retry, pauses } = noted()
  const { client, sent } = failing(502)
  await assert.rejects(client.call(getCount, { retry }), isXrpcError(502, 'Busy'))
  assert.equal(sent.length, 4)
  assert.deepEqual(pauses, [250, 500, 1000])
})

test('a query that succeeds at last is a success', async () => {
  const { retry } = noted()
  let tries = 0
  const { client } = connect({ retry }, (request) =>
    ++tries < 3 ? new Response(null, { status: 503 }) : server.fetch(request),
  )
  assert.equal((await client.call(getCount)).count, 1)
  assert.equal(tries, 3)
})

test('what will not pass is not tried again; procedures only where nothing was done', async () => {
  const { retry } = noted()
  const triesOf = async (
    status: number,
    call: (client: ReturnType<typeof connect>['client']) => Promise<unknown>,
  ) => {
    const { client, sent } = failing(status)
    await assert.rejects(call(client))
    return sent.length
  }
  assert.equal(await triesOf(400, (client) => client.call(getCount, { retry })), 1)
  assert.equal(await triesOf(500, (client) => client.call(getCount, { retry })), 1)
  assert.equal(await triesOf(502, (client) => client.call(touch, { retry })), 1)
  assert.equal(await triesOf(429, (client) => client.call(touch, { retry })), 4)
  const stream = () => new Blob(['abc']).stream()
  assert.equal(await triesOf(429, (client) => client.call(upload, { retry, input: stream() })), 1)
})

test('Retry-After is obeyed, as seconds or as a date, and is not worth waiting for above the limit', async () => {
  const pausesFor = async (retryAfter: string) => {
    const { retry, pauses } = noted({ attempts: 2 })
    await assert.rejects(failing(429, { 'retry-after': retryAfter }).client.call(getCount, { retry }))
    return pauses
  }
  assert.deepEqual(await pausesFor('7'), [7000])
  assert.deepEqual(await pausesFor('Thu, 01 Jan 2026 00:00:12 GMT'), [12_000])
  assert.deepEqual(await pausesFor('Wed, 31 Dec 2025 00:00:00 GMT'), [0])
  assert.deepEqual(await pausesFor('soon'), [250])
  assert.deepEqual(await pausesFor('3600'), [])
})

test('an abort ends the pause between two tries', async () => {
  const reason = new Error('no longer needed')
  const controller = new AbortController()
  const { client, sent } = connect({}, () => {
    setImmediate(() => controller.abort(reason))
    return new Response(null, { status: 503, headers: { 'retry-after': '20' } })
  })
  const retry = jitteredRetry()
  await assert.rejects(client.call(getCount, { retry, signal: controller.signal }), reason)
  assert.equal(sent.length, 1)
})
