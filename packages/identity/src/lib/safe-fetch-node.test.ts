import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'node:test'
import { gzipSync } from 'node:zlib'
import { IdentityError, type IdentityErrorCode } from './identity-error.ts'
import { createSafeFetch, type SafeFetch, type SafeFetchOptions } from './safe-fetch-node.ts'

const refusal = (code: IdentityErrorCode) => (error: unknown) =>
  error instanceof IdentityError && error.code === code

/** A loopback server, and a safe fetch that may go there. */
async function withServer(
  listener: RequestListener,
  options: SafeFetchOptions,
  body: (safeFetch: SafeFetch, base: URL) => Promise<void>,
): Promise<void> {
  const server = createServer(listener)
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const base = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  const safeFetch = createSafeFetch({ allow: (url) => url.origin === base.origin, ...options })
  try {
    await body(safeFetch, base)
  } finally {
    await safeFetch.close()
    server.closeAllConnections()
    await new Promise((done) => server.close(done))
  }
}

test('an address that is not plain public https is refused before anything is asked of anyone', async () => {
  const lookUp = () => assert.fail('a name was looked up')
  const safeFetch = createSafeFetch({ lookUp })
  for (const url of [
    'http://example.com/',
    'ftp://example.com/',
    'data:text/plain,hello',
    'https://example.com:8443/',
    'https://user@example.com/',
    'https://user:password@example.com/',
    'https://127.0.0.1/',
    'https://0177.0.0.1/',
    'https://0x7f.1/',
    'https://2130706433/',
    'https://017700000001/',
    'https://1.1.1.1/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://[2606:4700:4700::1111]/',
    'https://localhost/',
    'https://intranet/',
  ])
    await assert.rejects(safeFetch(url), refusal('Refused'), url)
  await safeFetch.close()
})

test('a name whose addresses are not all public is refused, and no connection made', async () => {
  for (const addresses of [
    [{ address: '127.0.0.1', family: 4 }],
    [{ address: '::1', family: 6 }],
    [
      { address: '93.184.216.34', family: 4 },
      { address: '10.0.0.1', family: 4 },
    ],
    [{ address: '169.254.169.254', family: 4 }],
  ]) {
    const safeFetch = createSafeFetch({ lookUp: async () => addresses })
    await assert.rejects(safeFetch('https://rebind.example.org/'), refusal('Refused'))
    await safeFetch.close()
  }
})

test('a name without an address fails as one that does not exist', async () => {
  const safeFetch = createSafeFetch({ lookUp: async () => [] })
  await assert.rejects(
    safeFetch('https://nowhere.example.org/'),
    (error: Error) => (error.cause as { code?: string })?.code === 'ENOTFOUND',
  )
  await safeFetch.close()
})

test('what is allowed by name is fetched, body and headers whole', () =>
  withServer(
    (request, response) => {
      response.setHeader('x-method', `${request.method} ${request.url}`)
      request.pipe(response)
    },
    {},
    async (safeFetch, base) => {
      const response = await safeFetch(new URL('/a?b', base), { method: 'POST', body: 'hello' })
      assert.equal(response.headers.get('x-method'), 'POST /a?b')
      assert.equal(response.url, `${base.origin}/a?b`)
      assert.equal(await response.text(), 'hello')
    },
  ))

test('a body is bounded after it was unpacked', () =>
  withServer(
    (_, response) => {
      response.setHeader('content-encoding', 'gzip')
      response.end(gzipSync(Buffer.alloc(1_000_000)))
    },
    { maxBytes: 10_000 },
    async (safeFetch, base) => {
      const response = await safeFetch(base)
      await assert.rejects(response.text(), refusal('TooLarge'))
    },
  ))

test('redirects: refused, handed over, or followed for a while, as the request asks', () =>
  withServer(
    (request, response) => {
      const left = Number(new URL(request.url!, 'http://x').searchParams.get('left'))
      if (left === 0) response.end('arrived')
      else
        response.writeHead(302, { location: left === 9 ? 'https://127.0.0.1/' : `/?left=${left - 1}` }).end()
    },
    {},
    async (safeFetch, base) => {
      const at = (left: number) => new URL(`/?left=${left}`, base)
      await assert.rejects(safeFetch(at(1)), refusal('Refused'))
      assert.equal((await safeFetch(at(1), { redirect: 'manual' })).headers.get('location'), '/?left=0')
      assert.equal(await (await safeFetch(at(3), { redirect: 'follow' })).text(), 'arrived')
      await assert.rejects(safeFetch(at(4), { redirect: 'follow' }), refusal('Refused'))
      await assert.rejects(safeFetch(at(9), { redirect: 'follow' }), refusal('Refused'))
    },
  ))

test('time is bounded for headers and for the body', async () => {
  await withServer(
    () => {},
    { timeoutMs: 50 },
    async (safeFetch, base) => await assert.rejects(safeFetch(base), { name: 'TimeoutError' }),
  )
  await withServer(
    (_, response) => response.write('begun'),
    // Enough for the headers to come, however busy the machine is.
    { timeoutMs: 500 },
    async (safeFetch, base) => {
      const response = await safeFetch(base)
      await assert.rejects(response.text(), { name: 'TimeoutError' })
    },
  )
})
