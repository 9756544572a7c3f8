import assert from 'node:assert/strict'
import test from 'node:test'
import { gzipSync } from 'node:zlib'
import { Cid, cidOfRaw } from '@imago/data'
import { echo, getCount, getFile, putCount, touch, upload, watch } from './example-methods.ts'
import { decodeFrame } from './frame.ts'
import { JsonText, type Method, method, subscription as stream } from './method.ts'
import { Reply } from './reply.ts'
import { frameError, frameMessage } from './stream-protocol.ts'
import { authRequired, invalidRequest, rateLimited, XrpcError } from './xrpc-error.ts'
import { createXrpcServer, type XrpcServerOptions } from './xrpc-server.ts'

/** A server that fails the test on any unexpected error, unless the test takes them itself. */
function serve(methods: XrpcServerOptions['methods'], options: Partial<XrpcServerOptions> = {}) {
  return createXrpcServer({
    onUnexpectedError: (error) => {
      throw error
    },
    ...options,
    methods,
  })
}

async function get(methods: readonly Method[], path: string, init: RequestInit = {}) {
  return serve(methods).fetch(new Request(`https://host.test${path}`, init))
}

function post(path: string, body: BodyInit | undefined, headers: Record<string, string> = {}) {
  const init = { method: 'POST', body: body ?? null, headers, duplex: 'half' }
  return new Request(`https://host.test/xrpc/${path}`, init as RequestInit)
}

type BodyInit = NonNullable<RequestInit['body']>
const JSON_TYPE = { 'content-type': 'application/json' }

/** A body without a length known beforehand. */
function chunked(chunks: string[]): ReadableStream<Uint8Array> {
  return new Blob(chunks).stream().pipeThrough(new TransformStream())
}

async function refusal(response: Response): Promise<[status: number, error: string, message: string]> {
  assert.equal(response.headers.get('content-type'), 'application/json')
  const body = (await response.json()) as { error: string; message: string }
  assert.deepEqual(Object.keys(body), ['error', 'message'])
  return [response.status, body.error, body.message]
}

const counter = method(getCount, ({ params }) => ({ count: params.step }))

test('a query gets decoded parameters, with defaults, and its output goes out as JSON', async () => {
  const response = await get([counter], '/xrpc/com.example.getCount')
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-type'), 'application/json')
  assert.deepEqual(await response.json(), { count: 1 })
  const four = await get([counter], '/xrpc/com.example.getCount?step=4&unheardOf=x#fragment')
  assert.deepEqual(await four.json(), { count: 4 })
})

test('methods live at the root only; a slash at the end is let pass', async () => {
  assert.equal((await get([counter], '/xrpc/com.example.getCount/')).status, 200)
  for (const path of ['/', '/api/xrpc/com.example.getCount', '/xrpc', '/?/xrpc/com.example.getCount'])
    assert.deepEqual((await refusal(await get([counter], path))).slice(0, 2), [404, 'NotFound'], path)
})

test('a bad parameter is 400, and the message names parameter and value', async () => {
  const response = await get([counter], '/xrpc/com.example.getCount?step=many')
  const [status, error, message] = await refusal(response)
  assert.deepEqual([status, error], [400, 'InvalidRequest'])
  assert.match(message, /params\/step .*integer.*"many"/)
})

test('methods that are known but not served, and methods unheard of, are 501', async () => {
  const server = serve([counter], { knownNsids: ['com.example.planned'] })
  const ask = async (nsid: string) =>
    refusal(await server.fetch(new Request(`https://host.test/xrpc/${nsid}`, { method: 'POST' })))
  assert.deepEqual(await ask('com.example.planned'), [
    501,
    'MethodNotImplemented',
    'com.example.planned is not served here',
  ])
  assert.deepEqual((await ask('com.example.unheardOf')).slice(0, 2), [501, 'MethodNotImplemented'])
})

test('a path that is no NSID is 400, and named', async () => {
  for (const name of ['example', 'com.example.', 'com.example.a%20b', 'com.example.getCount/more', ''])
    assert.deepEqual(
      (await refusal(await get([counter], `/xrpc/${name}`))).slice(0, 2),
      [400, 'InvalidRequest'],
      name,
    )
})

test('the wrong verb is 405, with the right ones in Allow', async () => {
  const methods = [counter, method(touch, () => undefined)]
  const wrong = async (nsid: string, verb: string) => {
    const response = await get(methods, `/xrpc/${nsid}`, { method: verb })
    return [...(await refusal(response)).slice(0, 2), response.headers.get('allow')]
  }
  const query = [405, 'MethodNotAllowed', 'GET, HEAD, OPTIONS']
  assert.deepEqual(await wrong('com.example.getCount', 'POST'), query)
  assert.deepEqual(await wrong('com.example.getCount', 'DELETE'), query)
  assert.deepEqual(await wrong('com.example.touch', 'GET'), [405, 'MethodNotAllowed', 'POST, OPTIONS'])
  assert.equal((await get(methods, '/xrpc/com.example.touch', { method: 'HEAD' })).status, 405)
})

test('HEAD answers as GET does, without the body', async () => {
  const response = await get([counter], '/xrpc/com.example.getCount', { method: 'HEAD' })
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-type'), 'application/json')
  assert.equal(await response.text(), '')
  const bad = await get([counter], '/xrpc/com.example.getCount?step=x', { method: 'HEAD' })
  assert.deepEqual([bad.status, await bad.text()], [400, ''])
})

test('[Z11] any origin may call, with any header, and read what clients need', async () => {
  const preflight = await get([counter], '/xrpc/com.example.getCount', {
    method: 'OPTIONS',
    headers: { 'access-control-request-headers': 'authorization, dpop, atproto-proxy, atproto-new-thing' },
  })
  assert.equal(preflight.status, 204)
  assert.equal(preflight.headers.get('access-control-allow-origin'), '*')
  assert.equal(preflight.headers.get('access-control-max-age'), '86400')
  assert.equal(
    preflight.headers.get('access-control-allow-headers'),
    'authorization, dpop, atproto-proxy, atproto-new-thing',
  )
  const plain = await get([counter], '/xrpc/com.example.getCount', { method: 'OPTIONS' })
  for (const name of ['Authorization', 'DPoP', 'Atproto-Proxy', 'Content-Type'])
    assert.ok(plain.headers.get('access-control-allow-headers')?.includes(name), name)

  for (const path of ['com.example.getCount', 'com.example.getCount?step=x', 'com.example.unheardOf']) {
    const { headers } = await get([counter], `/xrpc/${path}`)
    assert.equal(headers.get('access-control-allow-origin'), '*', path)
    for (const name of ['DPoP-Nonce', 'WWW-Authenticate', 'RateLimit-Remaining', 'Atproto-Repo-Rev'])
      assert.ok(headers.get('access-control-expose-headers')?.includes(name), `${path}: ${name}`)
  }
})

test('a preflight request cannot make the answer carry other headers', async () => {
  const request = new Request('https://host.test/xrpc/x.y.z', { method: 'OPTIONS' })
  request.headers.set('access-control-request-headers', 'a;b')
  const response = await serve([]).fetch(request)
  assert.ok(response.headers.get('access-control-allow-headers')?.startsWith('Authorization'))
})

test('input is read as JSON of the data model: links and bytes are Cid and Uint8Array', async () => {
  const link = cidOfRaw(new Uint8Array([1]))
  let seen: unknown
  const server = serve([
    method(echo, ({ input }) => {
      seen = input
      return input as never
    }),
  ])
  const text = `{"link":{"$link":"${link}"},"bytes":{"$bytes":"AQI"}}`
  const response = await server.fetch(post('com.example.echo', text, JSON_TYPE))
  assert.deepEqual(seen, { link, bytes: new Uint8Array([1, 2]) })
  assert.ok((seen as { link: unknown }).link instanceof Cid)
  assert.deepEqual(await response.json(), JSON.parse(text))
})

test('a body that is malformed, against the schema, missing or of another type is 400, and says why', async () => {
  const server = serve([method(putCount, () => undefined)])
  const put = async (body: BodyInit | undefined, headers: Record<string, string> = JSON_TYPE) =>
    refusal(await server.fetch(post('com.example.putCount', body, headers)))
  const cases: [Awaited<ReturnType<typeof put>>, RegExp][] = [
    [await put('{"count":'), /not JSON/],
    [await put('{"count":1.5}'), /1\.5/],
    [await put('{"count":{"$link":"nonsense"}}'), /nonsense/],
    [await put('{"count":"many"}'), /input\/count must be an integer.*"many"/],
    [await put('[]'), /an object/],
    [await put(new Uint8Array([0x22, 0xff, 0x22])), /not UTF-8/],
    [await put(undefined), /needs a body/],
    [
      await put('{"count":1}', { 'content-type': 'text/plain' }),
      /must be application\/json, not text\/plain/,
    ],
    [await put(new Blob(['{}']), {}), /needs a Content-Type/],
  ]
  for (const [[status, error, message], expected] of cases) {
    assert.deepEqual([status, error], [400, 'InvalidRequest'], message)
    assert.match(message, expected)
  }
  const good = await server.fetch(
    post('com.example.putCount', '{"count":1}', { 'content-type': 'Application/JSON; charset=utf-8' }),
  )
  assert.deepEqual([good.status, await good.text()], [200, ''])
})

test('a method without input refuses a body, and does not mind an empty one', async () => {
  const server = serve([method(touch, () => undefined)])
  assert.equal((await server.fetch(post('com.example.touch', undefined))).status, 200)
  assert.equal((await server.fetch(post('com.example.touch', '', JSON_TYPE))).status, 200)
  const [status, , message] = await refusal(await server.fetch(post('com.example.touch', '{}', JSON_TYPE)))
  assert.deepEqual([status, message], [400, 'this method takes no request body'])
})

test('a body that is too long is 413, whatever its length header says', async () => {
  const server = serve([method(putCount, { maxBodyBytes: 20 }, () => undefined)])
  const long = `{"count":1${' '.repeat(20)}}`
  for (const body of [long, chunked([long.slice(0, 9), long.slice(9)])]) {
    const response = await server.fetch(post('com.example.putCount', body, JSON_TYPE))
    assert.deepEqual(await refusal(response), [
      413,
      'PayloadTooLarge',
      'the request body is longer than 20 bytes',
    ])
  }
  const lying = post('com.example.putCount', chunked([long]), { ...JSON_TYPE, 'content-length': '5' })
  assert.equal((await server.fetch(lying)).status, 413)
  assert.equal((await server.fetch(post('com.example.putCount', '{"count":1}', JSON_TYPE))).status, 200)
})

test('JSON bodies are limited to 150 KiB where nothing else is said', async () => {
  const server = serve([method(putCount, () => undefined)])
  const padded = (length: number) => `{"count":1${' '.repeat(length - 11)}}`
  const put = async (length: number) =>
    (await server.fetch(post('com.example.putCount', chunked([padded(length)]), JSON_TYPE))).status
  assert.deepEqual([await put(153_600), await put(153_601)], [200, 413])
})

test('compressed bodies are read, counted by what they unpack to; other codings are 415', async () => {
  const server = serve([
    method(putCount, { maxBodyBytes: 100 }, ({ input }) => void assert.equal(input.count, 1)),
  ])
  const send = async (body: BodyInit, coding: string) =>
    (await server.fetch(post('com.example.putCount', body, { ...JSON_TYPE, 'content-encoding': coding })))
      .status
  assert.equal(await send(gzipSync('{"count":1}'), 'gzip'), 200)
  assert.equal(await send(gzipSync(`{"count":1${' '.repeat(1000)}}`), 'gzip'), 413)
  assert.equal(await send('{"count":1}', 'identity'), 200)
  assert.equal(await send('not gzip', 'gzip'), 400)
  assert.equal(await send('{"count":1}', 'br'), 415)
})

test('a body that says it was packed many times over is refused before anything is unpacked', async () => {
  const server = serve([method(putCount, () => undefined)])
  const send = async (codings: number) => {
    let body: Uint8Array<ArrayBuffer> = new TextEncoder().encode('{"count":1}')
    for (let n = 0; n < codings; n++) body = new Uint8Array(gzipSync(body))
    const header = ['identity', ...Array(codings).fill('gzip'), ''].join(', ')
    return server.fetch(post('com.example.putCount', body, { ...JSON_TYPE, 'content-encoding': header }))
  }
  assert.equal((await send(1)).status, 200)
  assert.equal((await send(2)).status, 200)
  const [status, error, message] = await refusal(await send(3))
  assert.deepEqual([status, error], [415, 'UnsupportedMediaType'])
  assert.match(message, /3 codings/)
})

test('a raw body reaches the handler as a stream, with its type, and with the limit', async () => {
  const server = serve([
    method(upload, { maxBodyBytes: 10 }, async ({ input }) => {
      let size = 0
      for await (const chunk of input.body) size += chunk.length
      return { size, type: input.encoding }
    }),
  ])
  const good = await server.fetch(post('com.example.upload', 'ten bytes!', { 'content-type': 'Image/PNG' }))
  assert.deepEqual(await good.json(), { size: 10, type: 'image/png' })
  const long = await server.fetch(
    post('com.example.upload', chunked(['ten bytes!', '!']), { 'content-type': 'a/b' }),
  )
  assert.deepEqual((await refusal(long)).slice(0, 2), [413, 'PayloadTooLarge'])
})

test('a Response goes out as it is, readable from other origins', async () => {
  const response = await get(
    [
      method(getFile, ({ responseHeaders }) => {
        responseHeaders.set('atproto-repo-rev', '3abc')
        return new Response('car bytes', {
          status: 206,
          headers: { 'content-type': 'application/vnd.ipld.car', 'cache-control': 'public' },
        })
      }),
    ],
    '/xrpc/com.example.getFile',
  )
  assert.equal(response.status, 206)
  assert.equal(response.headers.get('access-control-allow-origin'), '*')
  assert.equal(response.headers.get('cache-control'), 'public')
  assert.equal(response.headers.get('atproto-repo-rev'), '3abc')
  assert.equal(await response.text(), 'car bytes')
})

test('a stream goes out with the type that the handler names', async () => {
  const raw = () => ({ encoding: 'application/vnd.ipld.car', body: new Blob(['car bytes']).stream() })
  const response = await get([method(getFile, raw)], '/xrpc/com.example.getFile')
  assert.equal(response.headers.get('content-type'), 'application/vnd.ipld.car')
  assert.equal(response.headers.get('access-control-allow-origin'), '*')
  assert.equal(await response.text(), 'car bytes')
})

test('a Response whose headers cannot be written is passed on all the same', async () => {
  const response = await get(
    [method(getFile, () => fetch('data:text/plain,hello'))],
    '/xrpc/com.example.getFile',
  )
  assert.equal(response.headers.get('access-control-allow-origin'), '*')
  assert.equal(await response.text(), 'hello')
})

test('[U3] a Response that depends on who asks is private, unless it says otherwise', async () => {
  const guarded = (headers: Record<string, string>) =>
    method(getFile, { auth: () => 'someone' }, () => new Response('car bytes', { headers }))
  const headersFor = async (headers: Record<string, string>) =>
    (await get([guarded(headers)], '/xrpc/com.example.getFile')).headers
  const plain = await headersFor({})
  assert.deepEqual([plain.get('cache-control'), plain.get('vary')], ['private', 'Authorization'])
  const own = await headersFor({ 'cache-control': 'no-store', vary: 'Accept-Encoding' })
  assert.deepEqual(
    [own.get('cache-control'), own.get('vary')],
    ['no-store', 'Accept-Encoding, Authorization'],
  )
})

test('auth runs before the body is read, and its result is the handler’s', async () => {
  let bodyTouched = false
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        bodyTouched = true
        controller.enqueue(new TextEncoder().encode('{"count":1}'))
        controller.close()
      },
    },
    { highWaterMark: 0 },
  )
  const guarded = method(
    putCount,
    {
      auth: (request, nsid) => {
        if (!request.headers.has('authorization')) throw authRequired(`${nsid} needs a token`)
        return { did: 'did:web:alice.test' }
      },
    },
    ({ auth }) => void assert.equal(auth.did, 'did:web:alice.test'),
  )
  const refused = await serve([guarded]).fetch(post('com.example.putCount', body, JSON_TYPE))
  assert.deepEqual(await refusal(refused), [401, 'AuthMissing', 'com.example.putCount needs a token'])
  assert.equal(bodyTouched, false)

  const headers = { ...JSON_TYPE, authorization: 'Bearer x' }
  assert.equal(
    (await serve([guarded]).fetch(post('com.example.putCount', '{"count":1}', headers))).status,
    200,
  )
})

test('[U3] answers that depend on who asks are private, errors included', async () => {
  const guarded = method(getCount, { auth: () => 'someone' }, ({ params }) => {
    if (params.step === 2) throw invalidRequest('no', 'NoSuchCounter')
    return { count: 1 }
  })
  for (const path of ['', '?step=2', '?step=x']) {
    const { headers } = await get([guarded], `/xrpc/com.example.getCount${path}`)
    assert.equal(headers.get('cache-control'), 'private', path)
    assert.equal(headers.get('vary'), 'Authorization', path)
  }
  assert.equal((await get([counter], '/xrpc/com.example.getCount')).headers.get('cache-control'), null)
})

test('[U3] an XrpcError is its status, its name, its message and its headers', async () => {
  const response = await get(
    [
      method(getCount, () => {
        throw rateLimited(30)
      }),
    ],
    '/xrpc/com.example.getCount',
  )
  assert.deepEqual(await refusal(response), [429, 'RateLimitExceeded', 'Rate limit exceeded'])
  assert.equal(response.headers.get('retry-after'), '30')
})

test('an unexpected error is 500 without details, and is reported once', async () => {
  const bug = new Error('secret detail')
  for (const options of [{}, { auth: () => 'someone' }]) {
    const reported: unknown[] = []
    const broken = method(getCount, options, () => {
      throw bug
    })
    const server = serve([broken], { onUnexpectedError: (error, site) => reported.push([error, site.nsid]) })
    const response = await server.fetch(new Request('https://host.test/xrpc/com.example.getCount'))
    assert.deepEqual(await refusal(response), [500, 'InternalServerError', 'Internal server error'])
    assert.deepEqual(reported, [[bug, 'com.example.getCount']])
  }
})

test('errors of the layers below become what mapError says', async () => {
  const server = serve(
    [
      method(getCount, () => {
        throw new RangeError('no such counter')
      }),
    ],
    {
      mapError: (error) =>
        error instanceof RangeError ? invalidRequest(error.message, 'NoSuchCounter') : undefined,
    },
  )
  const response = await server.fetch(new Request('https://host.test/xrpc/com.example.getCount'))
  assert.deepEqual(await refusal(response), [400, 'NoSuchCounter', 'no such counter'])
})

test('a client that goes away is no error', async () => {
  const gone = new AbortController()
  const server = serve([
    method(getCount, async ({ signal }) => {
      gone.abort()
      signal.throwIfAborted()
      return { count: 1 }
    }),
  ])
  const request = new Request('https://host.test/xrpc/com.example.getCount', { signal: gone.signal })
  assert.equal((await server.fetch(request)).status, 499)
})

test('with checkOutput an output against the schema is an unexpected error; without, it goes out', async () => {
  const wrong = method(getCount, () => ({ count: 'many' }) as never)
  const request = () => new Request('https://host.test/xrpc/com.example.getCount')
  assert.deepEqual(await (await serve([wrong]).fetch(request())).json(), { count: 'many' })

  const reported: string[] = []
  const strict = serve([wrong], {
    checkOutput: true,
    onUnexpectedError: (error) => reported.push(String(error)),
  })
  assert.equal((await strict.fetch(request())).status, 500)
  assert.equal(reported.length, 1)
  assert.match(reported[0]!, /com\.example\.getCount: output\/count must be an integer.*"many"/)
})

test('answer says what fetch says, and makes a Response only of what streams', async () => {
  const addHeaders = method(getCount, ({ params, responseHeaders }) => {
    responseHeaders.append('set-cookie', 'a=1')
    responseHeaders.append('set-cookie', 'b=2')
    responseHeaders.append('vary', 'Accept-Language')
    return { count: params.step }
  })
  const file = method(getFile, () => new Response('car'))
  const server = serve([addHeaders, file])
  const ask = (nsid: string, method = 'GET') =>
    new Request(`https://host.test/xrpc/com.example.${nsid}`, { method })
  for (const request of [
    ask('getCount'),
    ask('nothing'),
    ask('getCount', 'HEAD'),
    ask('getCount', 'OPTIONS'),
  ]) {
    const reply = await server.answer(request)
    assert.ok(reply instanceof Reply, request.url)
    const [one, other] = [reply.toResponse(), await server.fetch(request)]
    assert.equal(one.status, other.status)
    assert.deepEqual([...one.headers], [...other.headers])
    assert.equal(await one.text(), await other.text())
  }
  const { headers } = await server.fetch(ask('getCount'))
  assert.deepEqual([headers.getSetCookie(), headers.get('vary')], [['a=1', 'b=2'], 'Accept-Language'])
  assert.ok((await server.answer(ask('getFile'))) instanceof Response)
})

test('an output whose JSON is there already goes out as it is, as text or as bytes', async () => {
  for (const text of ['{"count":7}', new TextEncoder().encode('{"count":7}')]) {
    const ready = method(getCount, () => new JsonText(text))
    const response = await get([ready], '/xrpc/com.example.getCount')
    assert.deepEqual(await response.json(), { count: 7 })
    assert.equal(response.headers.get('content-type'), 'application/json')
  }
  const errors: unknown[] = []
  const wrong = serve([method(getCount, () => new JsonText('{"count":"many"}'))], {
    checkOutput: true,
    onUnexpectedError: (error) => errors.push(error),
  })
  assert.equal((await wrong.fetch(new Request('https://host.test/xrpc/com.example.getCount'))).status, 500)
  assert.match(String(errors), /output\/count must be an integer/)
})

test('a value where a Response belongs is an unexpected error', async () => {
  const reported: string[] = []
  const server = serve([method(getFile, () => ({ bytes: 1 }) as never)], {
    onUnexpectedError: (error) => reported.push(String(error)),
  })
  assert.equal((await server.fetch(new Request('https://host.test/xrpc/com.example.getFile'))).status, 500)
  assert.match(reported[0]!, /must return a Response/)
})

test('intercept sees every call first, and may answer it', async () => {
  const server = serve([counter], {
    intercept: ({ nsid, request }) => {
      if (nsid === 'com.example.elsewhere') return new Response('proxied')
      if (request.headers.has('atproto-proxy')) throw invalidRequest('atproto-proxy needs a fragment')
      return undefined
    },
  })
  const ask = (nsid: string, headers = {}) =>
    server.fetch(new Request(`https://host.test/xrpc/${nsid}`, { headers }))
  const proxied = await ask('com.example.elsewhere')
  assert.equal(proxied.headers.get('access-control-allow-origin'), '*')
  assert.equal(await proxied.text(), 'proxied')
  assert.equal((await ask('com.example.getCount')).status, 200)
  assert.equal((await ask('com.example.getCount', { 'atproto-proxy': 'did:web:x' })).status, 400)
  assert.equal((await ask('com.example.unheardOf')).status, 501)
})

test('one method cannot be served twice', () => {
  assert.throws(() => serve([counter, counter]), /com\.example\.getCount is given twice/)
})

const ticking = stream(watch, async function* ({ params, protocol }) {
  if (params.cursor === 9) throw new XrpcError(400, 'FutureCursor', 'cursor 9 is ahead of 3')
  yield [frameMessage(protocol, watch.nsid, { $type: 'com.example.watch#tick', seq: 1 } as never)]
  if (params.cursor === 5) throw new Error('secret detail')
})

const watchRequest = (query = '', headers = {}) =>
  new Request(`https://host.test/xrpc/com.example.watch${query}`, { headers })

test('a stream is not to be had over plain HTTP', async () => {
  const server = serve([ticking])
  const response = await server.fetch(watchRequest())
  assert.deepEqual((await refusal(response)).slice(0, 2), [426, 'UpgradeRequired'])
  assert.equal(response.headers.get('upgrade'), 'websocket')
  const posted = await server.fetch(new Request(watchRequest(), { method: 'POST' }))
  assert.equal(posted.status, 405)
})

test('a handshake that cannot be served is refused before the upgrade', async () => {
  const server = serve([ticking, counter])
  const refused = async (request: Request) => {
    const response = server.upgrade(request)
    assert.ok(response instanceof Response)
    return (await refusal(response)).slice(0, 2)
  }
  assert.deepEqual(await refused(watchRequest('?cursor=abc')), [400, 'InvalidRequest'])
  const elsewhere = (path: string) => new Request(`https://host.test${path}`)
  assert.deepEqual(await refused(elsewhere('/xrpc/com.example.getCount')), [400, 'InvalidRequest'])
  assert.deepEqual(await refused(elsewhere('/xrpc/com.example.unheardOf')), [501, 'MethodNotImplemented'])
  assert.deepEqual(await refused(elsewhere('/ws')), [404, 'NotFound'])
  assert.deepEqual(await refused(new Request(watchRequest(), { method: 'POST' })), [405, 'MethodNotAllowed'])
})

async function framesOf(request: Request, options: Partial<XrpcServerOptions> = {}) {
  const upgrade = serve([ticking], options).upgrade(request)
  assert.ok(!(upgrade instanceof Response))
  const frames: Uint8Array[] = []
  for await (const batch of upgrade.messages(new AbortController().signal)) frames.push(...batch)
  return frames.map((message) => decodeFrame(message.subarray(2)))
}

test('[F6] what the handler throws is the last frame of the stream', async () => {
  assert.deepEqual(await framesOf(watchRequest('?cursor=9')), [
    { kind: 'error', error: 'FutureCursor', message: 'cursor 9 is ahead of 3' },
  ])
  const reported: unknown[] = []
  const frames = await framesOf(watchRequest('?cursor=5'), {
    onUnexpectedError: (error) => reported.push(error),
  })
  assert.deepEqual(
    frames.map(({ kind }) => kind),
    ['message', 'error'],
  )
  assert.deepEqual(frames[1], {
    kind: 'error',
    error: 'InternalServerError',
    message: 'Internal server error',
  })
  assert.equal(reported.length, 1)
})

test('the first offered protocol that the stream speaks is agreed on; names are case-sensitive', async () => {
  const both = stream(watch, { protocols: ['xrpc.v1.json', 'xrpc.v0.cbor'] }, async function* ({ protocol }) {
    yield [frameMessage(protocol, watch.nsid, { $type: 'com.example.watch#tick' })]
  })
  const agree = async (offered?: string) => {
    const upgrade = serve([both]).upgrade(
      watchRequest('', offered === undefined ? {} : { 'sec-websocket-protocol': offered }),
    )
    assert.ok(!(upgrade instanceof Response))
    const { value } = await upgrade.messages(new AbortController().signal).next()
    return [upgrade.protocol, value![0]![0] === 0x81 ? 'text' : 'binary']
  }
  assert.deepEqual(await agree('xrpc.v0.cbor, xrpc.v1.json'), ['xrpc.v0.cbor', 'binary'])
  assert.deepEqual(await agree('other,xrpc.v1.json'), ['xrpc.v1.json', 'text'])
  assert.deepEqual(await agree('XRPC.V0.CBOR'), [undefined, 'text'])
  assert.deepEqual(await agree(), [undefined, 'text'])
})

test('a stream whose client went away ends without a frame', async () => {
  const gone = new AbortController()
  const upgrade = serve([
    stream(watch, async function* ({ signal }) {
      yield []
      signal.throwIfAborted()
    }),
  ]).upgrade(watchRequest())
  assert.ok(!(upgrade instanceof Response))
  const messages = upgrade.messages(gone.signal)
  await messages.next()
  gone.abort()
  assert.deepEqual(await messages.next(), { done: true, value: undefined })
})

test('[F6] a stream that the socket’s owner ends says so in its last frame', () => {
  const upgrade = serve([ticking]).upgrade(watchRequest())
  assert.ok(!(upgrade instanceof Response))
  const tooSlow = Object.assign(new Error('read faster'), { code: 'ConsumerTooSlow' })
  assert.deepEqual(
    upgrade.errorMessage(tooSlow),
    frameError('xrpc.v0.cbor', 'ConsumerTooSlow', 'read faster'),
  )
  assert.equal(upgrade.errorMessage(new Error('no name')), undefined)
})
