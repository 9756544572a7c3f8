import assert from 'node:assert/strict'
import test from 'node:test'
import type { Methods as Published } from '@imago/atproto'
import { type Cid, cidOfRaw } from '@imago/data'
import * as methods from './example-methods.ts'
import { createJsonClient, type JsonClientOptions } from './json-client.ts'
import type { JsonOf } from './json-types.ts'
import { method } from './method.ts'
import { invalidRequest, XrpcError } from './xrpc-error.ts'
import { createXrpcServer } from './xrpc-server.ts'

/** As generated for documents: schemas by NSID. */
interface Methods {
  'com.example.getCount': typeof methods.getCount
  'com.example.getFile': typeof methods.getFile
  'com.example.putCount': typeof methods.putCount
  'com.example.touch': typeof methods.touch
  'com.example.upload': typeof methods.upload
  'com.example.echo': typeof methods.echo
}

const RAW = cidOfRaw(new Uint8Array())

const server = createXrpcServer({
  methods: [
    method(methods.getCount, ({ params }) => {
      if (params.tag === 'none') throw invalidRequest('there is no counter "none"', 'NoSuchCounter')
      return { count: params.step }
    }),
    method(
      methods.getFile,
      () => new Response('car', { headers: { 'content-type': 'application/vnd.ipld.car' } }),
    ),
    method(methods.putCount, () => undefined),
    method(methods.touch, () => undefined),
    method(methods.echo, ({ input }) => ({ ...input, link: RAW })),
    method(methods.upload, async ({ input }) => {
      const { size } = await new Response(input.body).blob()
      return { size, type: input.encoding }
    }),
  ],
  onUnexpectedError: (error) => {
    throw error
  },
})

const connect = (options: Partial<JsonClientOptions> = {}) =>
  createJsonClient<Methods>({
    service: 'https://host.test/ignored',
    fetch: async (input, init) => server.fetch(new Request(input as string, init)),
    ...options,
  })

test('calls by name: parameters, inputs, and answers as JSON has them', async () => {
  const client = connect()
  assert.deepEqual(await client.query('com.example.getCount'), { count: 1 })
  assert.deepEqual(await client.query('com.example.getCount', { params: { step: 7 } }), { count: 7 })
  assert.equal(await client.procedure('com.example.putCount', { input: { count: 2 } }), undefined)
  assert.equal(await client.procedure('com.example.touch'), undefined)
  assert.deepEqual(await client.procedure('com.example.echo', { input: { a: [1] } }), {
    a: [1],
    link: { $link: String(RAW) },
  })
})

test('bodies that are not JSON go out as they are, and come back as the response', async () => {
  const client = connect()
  const file = await client.query('com.example.getFile')
  assert.equal(await file.text(), 'car')
  const input = new TextEncoder().encode('bytes')
  assert.deepEqual(await client.procedure('com.example.upload', { input, encoding: 'text/plain' }), {
    size: 5,
    type: 'text/plain',
  })
  assert.deepEqual(await client.procedure('com.example.upload', { input }), {
    size: 5,
    type: 'application/octet-stream',
  })
  assert.deepEqual(
    await client.procedure('com.example.upload', { input: new Blob(['a'], { type: 'image/png' }) }),
    {
      size: 1,
      type: 'image/png',
    },
  )
  const stream = new Blob(['abc']).stream()
  assert.deepEqual(await client.procedure('com.example.upload', { input: stream, encoding: 'a/b' }), {
    size: 3,
    type: 'a/b',
  })
})

test('parameters may repeat, and are left out where they are undefined', async () => {
  const urls: string[] = []
  const client = createJsonClient<Published>({
    service: 'https://host.test',
    fetch: async (input) => {
      urls.push(String(input))
      return Response.json({})
    },
  })
  await client.query('com.atproto.admin.getAccountInfos', {
    params: { dids: ['did:web:a.test', 'did:web:b.test'] },
  })
  await client.query('com.atproto.sync.listRepos', { params: { limit: 5 } })
  assert.deepEqual(urls, [
    'https://host.test/xrpc/com.atproto.admin.getAccountInfos?dids=did%3Aweb%3Aa.test&dids=did%3Aweb%3Ab.test',
    'https://host.test/xrpc/com.atproto.sync.listRepos?limit=5',
  ])
})

test('headers of the call override those of the client', async () => {
  const seen: (string | null)[] = []
  const client = connect({
    headers: { authorization: 'Bearer a', 'x-kept': 'yes' },
    fetch: async (_, init) => {
      const headers = new Headers(init?.headers)
      seen.push(headers.get('authorization'), headers.get('x-kept'))
      return Response.json({ count: 0 })
    },
  })
  await client.query('com.example.getCount', { headers: { authorization: 'Bearer b' } })
  assert.deepEqual(seen, ['Bearer b', 'yes'])
})

test('errors are what the server answered, or that it did not', async () => {
  await assert.rejects(connect().query('com.example.getCount', { params: { tag: 'none' } }), {
    name: 'XrpcError',
    status: 400,
    error: 'NoSuchCounter',
    message: 'there is no counter "none"',
  })
  const down = connect({ fetch: () => Promise.reject(new TypeError('fetch failed')) })
  await assert.rejects(down.query('com.example.getCount'), { status: 0, error: 'NetworkError' })
  const signal = AbortSignal.abort(new Error('enough'))
  await assert.rejects(down.query('com.example.getCount', { signal }), /enough/)
  const broken = connect({
    fetch: async () => new Response('{', { headers: { 'content-type': 'application/json' } }),
  })
  await assert.rejects(broken.query('com.example.getCount'), XrpcError)
})

test('types: names, parameters and JSON forms', () => {
  const calls = async () => {
    const client = connect()
    const { count } = await client.query('com.example.getCount', { params: { tag: 'a' } })
    count.toFixed()
    // @ts-expect-error there is no such method
    await client.query('com.example.getCounts')
    // @ts-expect-error it is no query
    await client.query('com.example.touch')
    // @ts-expect-error there is no such parameter
    await client.query('com.example.getCount', { params: { steps: 1 } })
    // @ts-expect-error the input is missing
    await client.procedure('com.example.putCount')
    const published = createJsonClient<Published>({ service: 'https://host.test' })
    const { cid } = await published.query('com.atproto.sync.getLatestCommit', {
      params: { did: 'did:web:a.test' },
    })
    cid.trim()
  }
  assert.equal(typeof calls, 'function')
  const json: JsonOf<{ a: Cid[]; b?: Uint8Array; c: null }> = { a: [{ $link: 'x' }], c: null }
  assert.ok(json)
})
