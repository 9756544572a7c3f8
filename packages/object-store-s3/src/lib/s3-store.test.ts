import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import test from 'node:test'
import { ObjectStoreError } from '@imago/object-store'
import { objectStoreContract } from '@imago/object-store/contract'
import { infrastructureTest } from '@imago/sim/infrastructure'
import {
  realS3Server,
  type S3Location,
  S3RVER_WEAKNESSES,
  type S3TestServer,
  startS3TestServer,
} from '@imago/sim/s3-server'
import { createS3Store, type S3StoreOptions } from './s3-store.ts'

const MEBIBYTE = 1024 * 1024

/** Each test has a prefix of its own, on a server of its own: one that broke does not disturb the next. */
async function openOnTestServer(options: Partial<S3StoreOptions> = {}) {
  const server = await startS3TestServer()
  const store = createS3Store({
    ...server.location,
    prefix: 'test/',
    partBytes: MEBIBYTE / 4,
    pageKeys: 10,
    requestTimeoutMs: 5_000,
    ...options,
  })
  return {
    store,
    server,
    async [Symbol.asyncDispose]() {
      store[Symbol.dispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

objectStoreContract('s3', openOnTestServer, {
  manyObjects: 25,
  largeBytes: 2 * MEBIBYTE,
  weaknesses: S3RVER_WEAKNESSES,
})

const { location, missing } = realS3Server()
if (location !== undefined) realContract(location)
infrastructureTest('the suite ran against a real S3 server', missing, () => {})

function realContract(real: S3Location): void {
  let stores = 0
  objectStoreContract(
    'real s3',
    async () => {
      const store = createS3Store({ ...real, prefix: `contract-${Date.now()}-${stores++}/` })
      return { store, [Symbol.asyncDispose]: async () => store[Symbol.dispose]() }
    },
    { manyObjects: 1_050, largeBytes: 40 * MEBIBYTE },
  )
}

const failure = (code: string, words: RegExp) => (error: unknown) =>
  error instanceof ObjectStoreError && error.code === code && words.test(error.message)

async function* pieces(count: number): AsyncGenerator<Uint8Array> {
  for (let i = 0; i < count; i++) yield new Uint8Array(MEBIBYTE / 8).fill(i)
}

async function sizeOf(body: AsyncIterable<Uint8Array>): Promise<number> {
  let size = 0
  for await (const piece of body) size += piece.length
  return size
}

/** Answers the first `times` requests that match with a refusal, and lets the rest pass. */
function refusing(server: S3TestServer, matching: RegExp, status: number, code: string, times: number) {
  const counts = { refused: 0 }
  server.fault = {
    request(request, response) {
      if (counts.refused >= times || !matching.test(`${request.method} ${request.url}`)) return false
      counts.refused++
      request.resume()
      request.on('end', () =>
        response
          .writeHead(status, { 'content-type': 'application/xml' })
          .end(`<Error><Code>${code}</Code><Message>as the test wants</Message></Error>`),
      )
      return true
    },
  }
  return counts
}

test('what the server cannot do for the moment is tried again, a few times', async () => {
  await using opened = await openOnTestServer({ maxAttempts: 3 })
  const { store, server } = opened
  for (const [matching, code, times, work] of [
    // The client waits longest after this one.
    [/^PUT/, 'SlowDown', 1, () => store.put('small', new Uint8Array(9))],
    [/^PUT .*partNumber=2/, 'InternalError', 2, () => store.put('large', pieces(8))],
    [/^GET/, 'InternalError', 2, () => store.get('small').then((found) => sizeOf(found!.body))],
    [/^HEAD/, 'InternalError', 2, () => store.head('large')],
  ] as const) {
    const counts = refusing(server, matching, 503, code, times)
    await work()
    assert.equal(counts.refused, times, String(matching))
  }
  const counts = refusing(server, /^PUT/, 503, 'InternalError', Number.POSITIVE_INFINITY)
  await assert.rejects(
    store.put('more', new Uint8Array(9)),
    failure('Unavailable', /^more: .*InternalError.*503/),
  )
  assert.equal(counts.refused, 3)
})

test('a refusal is passed on at once, in the words of the server', async () => {
  await using opened = await openOnTestServer()
  const { store, server } = opened
  for (const [status, said, code] of [
    [403, 'AccessDenied', 'Refused'],
    [403, 'QuotaExceeded', 'Full'],
    [400, 'BadDigest', 'Corrupt'],
    [400, 'InvalidArgument', 'Failed'],
  ] as const) {
    const counts = refusing(server, /^PUT/, status, said, 9)
    await assert.rejects(
      store.put('a/b', new Uint8Array(9)),
      failure(code, new RegExp(`^a/b: .*${said}.*${status}`)),
    )
    assert.equal(counts.refused, 1)
  }
})

test('a part that fails in the middle takes the others back', async () => {
  await using opened = await openOnTestServer({ maxAttempts: 1 })
  const { store, server } = opened
  const counts = refusing(server, /partNumber=3/, 500, 'InternalError', 1)
  await assert.rejects(store.put('large', pieces(16)), failure('Unavailable', /large/))
  assert.equal(counts.refused, 1)
  assert.ok(server.seen.some((request) => /^DELETE .*uploadId=/.test(request)))
  assert.equal(await store.head('large'), undefined)
})

test('a server that falls silent is not waited for', async () => {
  await using opened = await openOnTestServer()
  const { server } = opened
  await opened.store.put('key', new Uint8Array(300_000))
  const times = { requestTimeoutMs: 40, uploadTimeoutMs: 60, maxAttempts: 2 }
  using store = createS3Store({ ...server.location, prefix: 'test/', ...times })
  let silent = 0
  server.fault = { request: () => silent++ >= 0 }
  for (const work of [
    () => store.put('key', new Uint8Array(9)),
    () => store.put('key', pieces(4)),
    () => store.get('key'),
    () => store.head('key'),
    () => store.copy('key', 'other'),
    () => store.delete('key'),
    () => Array.fromAsync(store.list('')),
  ])
    await assert.rejects(Promise.resolve(work()), failure('Unavailable', /Timeout/))
  assert.ok(silent >= 14, String(silent))
  // It begins to answer, and stops in the middle.
  server.fault = {
    request(_, response) {
      response.writeHead(200, { 'content-length': '300000' }).write(Buffer.alloc(100_000))
      return true
    },
  }
  using patient = createS3Store({ ...server.location, prefix: 'test/', requestTimeoutMs: 250 })
  const { body } = (await patient.get('key'))!
  await assert.rejects(sizeOf(body), failure('Unavailable', /sent nothing for 250 ms/))
})

test('a body that is cut off fails the reader', async () => {
  await using opened = await openOnTestServer()
  const { store, server } = opened
  await store.put('key', new Uint8Array(300_000))
  server.fault = {
    request(_, response) {
      response
        .writeHead(200, { 'content-length': '300000' })
        .write(Buffer.alloc(100_000), () => response.destroy())
      return true
    },
  }
  const { body } = (await store.get('key'))!
  await assert.rejects(sizeOf(body), (error) => error instanceof ObjectStoreError && error.key === 'key')
})

test('bytes that changed on their way back, or where they lay, are found out before the last of them', async () => {
  await using opened = await openOnTestServer()
  const { store, server } = opened
  await store.put('key', new Uint8Array(200_000))
  let changed = 0
  server.fault = {
    body(request, chunk) {
      if (request.method === 'GET' && changed++ === 0) chunk[7]! ^= 1
      return chunk
    },
  }
  const { body } = (await store.get('key'))!
  let received = 0
  await assert.rejects(
    async () => {
      for await (const piece of body) received += piece.length
    },
    failure('Corrupt', /key: .*checksum/),
  )
  assert.ok(changed > 0 && received < 200_000)
})

test('a server that says it stored something else is not believed to have stored it', async () => {
  await using opened = await openOnTestServer()
  const { store, server } = opened
  server.fault = {
    headers: (request, headers) =>
      request.method === 'PUT'
        ? { ...headers, etag: `"${createHash('md5').update('x').digest('hex')}"` }
        : headers,
  }
  await assert.rejects(store.put('small', new Uint8Array(9)), failure('Corrupt', /small: .*something else/))
  await assert.rejects(store.put('large', pieces(8)), failure('Corrupt', /large: .*something else/))
  server.fault = undefined
  assert.equal(await store.head('small'), undefined)
  assert.equal(await store.head('large'), undefined)
})

test('every request carries checksums that the server checks', async () => {
  await using opened = await openOnTestServer()
  const { store, server } = opened
  const checksums: (string | string[] | undefined)[][] = []
  server.fault = {
    request({ method, headers, url }) {
      if (method === 'PUT') checksums.push([url, headers['content-md5'], headers['x-amz-content-sha256']])
      return false
    },
  }
  await store.put('small', new Uint8Array(9))
  await store.put('large', pieces(4))
  assert.equal(checksums.length, 3)
  for (const [url, md5, sha256] of checksums) {
    assert.match(String(md5), /^[A-Za-z0-9+/]{22}==$/, String(url))
    assert.match(String(sha256), /^[0-9a-f]{64}$/, String(url))
  }
})

test('one key without the other is refused', () => {
  assert.throws(() => createS3Store({ bucket: 'b', accessKeyId: 'x' }), /give both, or neither/)
})
