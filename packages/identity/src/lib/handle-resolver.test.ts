import assert from 'node:assert/strict'
import test from 'node:test'
import type { Did, Handle } from '@imago/syntax'
import type { ResolveTxt } from './dns-handle-method.ts'
import { createHandleResolver, type HandleResolverOptions } from './handle-resolver.ts'
import { IdentityError } from './identity-error.ts'
import { createXrpcHandleMethod } from './xrpc-handle-method.ts'

const did: Did = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
const other: Did = 'did:plc:bbbbbbbbbbbbbbbbbbbbbbbb'
const noTxt: ResolveTxt = async () => []
const failing = (code: string) => async () => {
  throw Object.assign(new Error(code), { code })
}
const fetchOf = (respond: (url: URL) => Response | Promise<Response>) =>
  (async (url: string | URL) => respond(new URL(url))) as typeof fetch
const notFound = fetchOf(() => new Response('', { status: 404 }))

function resolve(
  options: Partial<HandleResolverOptions>,
  handle: Handle = 'Alice.example.org',
): Promise<Did> {
  return createHandleResolver({ resolveTxt: noTxt, fetch: notFound, timeoutMs: 50, ...options }).resolve(
    handle,
  )
}
const txt = (...records: string[][]) => ({ resolveTxt: async () => records })

test('DNS: a record is the sum of its strings, and repetition is no contradiction', async () => {
  const asked: string[] = []
  const resolveTxt: ResolveTxt = async (name) => {
    asked.push(name)
    return [
      ['v=spf1'],
      ['did=did:plc:', 'aaaaaaaaaaaaaaaaaaaaaaaa'],
      [`did=${did}`],
      ['did=nonsense'],
      [`DID=${other}`],
    ]
  }
  assert.equal(await resolve({ resolveTxt }), did)
  assert.deepEqual(asked, ['_atproto.alice.example.org'])
})

test('DNS: two DIDs are none, whatever the web says', async () => {
  const fetch = fetchOf(() => new Response(did))
  await assert.rejects(resolve({ ...txt([`did=${did}`], [`did=${other}`]), fetch }), {
    code: 'HandleNotFound',
  })
  const many = Array.from({ length: 65 }, () => ['x'])
  await assert.rejects(resolve({ ...txt(...many), fetch }), { code: 'HandleNotFound' })
})

test('DNS goes before HTTPS, and HTTPS steps in where DNS knows nothing or fails', async () => {
  const fetch = fetchOf(() => new Response(` ${other}\n`))
  assert.equal(await resolve({ ...txt([`did=${did}`]), fetch }), did)
  assert.equal(await resolve({ fetch }), other)
  for (const code of ['ENOTFOUND', 'ENODATA', 'ESERVFAIL'])
    assert.equal(await resolve({ resolveTxt: failing(code), fetch }), other)
  assert.equal(await resolve({ resolveTxt: () => new Promise(() => {}), fetch }), other)
  assert.equal(await resolve({ ...txt([`did=${did}`]), fetch: fetchOf(() => new Promise(() => {})) }), did)
})

test('HTTPS: only a whole DID counts', async () => {
  for (const body of ['', '<html>', `${did} and more`, `did=${did}`, `${did}\n${did}`, 'x'.repeat(3000)])
    await assert.rejects(
      resolve({ fetch: fetchOf(() => new Response(body)) }),
      { code: 'HandleNotFound' },
      body,
    )
})

test('HTTPS: a few redirects, all of them https', async () => {
  const hop = (location: string) => new Response('', { status: 302, headers: { location } })
  const chain = (length: number) =>
    fetchOf((url) => {
      const step = Number(url.searchParams.get('step'))
      return step === length ? new Response(did) : hop(`?step=${step + 1}`)
    })
  assert.equal(await resolve({ fetch: chain(3) }), did)
  await assert.rejects(resolve({ fetch: chain(4) }), { code: 'HandleNotFound' })
  const down = fetchOf((url) => (url.protocol === 'https:' ? hop('http://example.org/') : new Response(did)))
  await assert.rejects(resolve({ fetch: down }), { code: 'HandleNotFound' })
})

test('not found and not to be found out are told apart', async () => {
  const gone = (cause: unknown) =>
    (async () => {
      throw new TypeError('fetch failed', { cause })
    }) as unknown as typeof fetch
  const cases: [Partial<HandleResolverOptions>, string][] = [
    [{ fetch: gone(Object.assign(new Error('dns'), { code: 'ENOTFOUND' })) }, 'HandleNotFound'],
    [{ fetch: gone(new IdentityError('Refused', 'private')) }, 'HandleNotFound'],
    [{ fetch: gone(Object.assign(new Error('tcp'), { code: 'ECONNREFUSED' })) }, 'Unavailable'],
    [{ fetch: fetchOf(() => new Response('', { status: 500 })) }, 'Unavailable'],
    [{ resolveTxt: failing('ETIMEOUT') }, 'Unavailable'],
    [{ resolveTxt: () => new Promise(() => {}) }, 'Unavailable'],
  ]
  for (const [options, code] of cases) await assert.rejects(resolve(options), { code })
})

test('reserved names are asked of nobody', async () => {
  const resolveTxt = () => assert.fail('asked')
  for (const handle of ['handle.invalid', 'a.local', 'a.onion', 'a.arpa'] as Handle[])
    await assert.rejects(resolve({ resolveTxt }, handle), { code: 'HandleNotFound' })
})

test('own ways come first, and .test goes no further', async () => {
  const asked: string[] = []
  const xrpc = createXrpcHandleMethod({
    service: 'http://localhost:2583',
    accepts: (handle) => handle.endsWith('.test'),
    fetch: fetchOf((url) => {
      asked.push(url.href)
      return url.searchParams.get('handle') === 'alice.test'
        ? Response.json({ did })
        : Response.json({ error: 'HandleNotFound' }, { status: 400 })
    }),
  })
  const resolveTxt: ResolveTxt = async () => [[`did=${other}`]]
  const fetch = fetchOf(() => assert.fail('asked'))
  assert.equal(await resolve({ methods: [xrpc], resolveTxt, fetch }, 'alice.test'), did)
  await assert.rejects(resolve({ methods: [xrpc], resolveTxt, fetch }, 'bob.test'), {
    code: 'HandleNotFound',
  })
  assert.equal(await resolve({ methods: [xrpc], resolveTxt }, 'alice.example.org'), other)
  assert.deepEqual(asked, [
    'http://localhost:2583/xrpc/com.atproto.identity.resolveHandle?handle=alice.test',
    'http://localhost:2583/xrpc/com.atproto.identity.resolveHandle?handle=bob.test',
  ])
})
