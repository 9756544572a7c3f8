import assert from 'node:assert/strict'
import test from 'node:test'
import { createLogger } from '@imago/service'
import { createConsole } from './create-console.ts'

/** Nothing listens on port 1, so every service is down. */
const DOWN = 'http://localhost:1'

async function withConsole(
  body: (get: (path: string, init?: RequestInit) => Promise<Response>) => Promise<void>,
) {
  await using console = createConsole({
    services: { plc: DOWN, pds: DOWN, relay: DOWN, jetstream: DOWN },
    dataPath: '/<data>',
    version: '1.2.3',
    now: Date.now,
    logger: createLogger({ name: 'console', level: 'silent' }),
  })
  await body((path, init) => console.fetch(new Request(new URL(path, 'http://localhost:2580'), init)))
}

test('answers its health, whoever else is down', () =>
  withConsole(async (get) => {
    const response = await get('/_health')
    assert.equal(response.status, 200)
    assert.deepEqual(await response.json(), { version: '1.2.3' })
  }))

test('shows services that are down as down, with everything escaped', () =>
  withConsole(async (get) => {
    const response = await get('/')
    assert.equal(response.status, 200)
    const text = await response.text()
    assert.match(text, /PLC directory, PDS, Relay, Jetstream do not answer/)
    assert.equal(text.match(/data-up="false"/g)?.length, 4)
    assert.match(text, /\/&lt;data&gt;/)
  }))

test('a page that needs a service that is down says so', () =>
  withConsole(async (get) => {
    const response = await get('/accounts')
    assert.equal(response.status, 502)
    assert.match(await response.text(), /A service does not answer/)
  }))

test('every answer carries a policy that lets no inline script or style, and nothing of others, in', () =>
  withConsole(async (get) => {
    for (const path of ['/', '/live', '/write', '/nowhere', '/assets/console.css', '/accounts']) {
      const response = await get(path)
      const policy = response.headers.get('content-security-policy') ?? ''
      assert.match(policy, /^default-src 'none'; script-src 'self'; style-src 'self';/, path)
      assert.doesNotMatch(policy, /unsafe|http/)
      assert.equal(response.headers.get('x-content-type-options'), 'nosniff')
      const text = await response.text()
      assert.doesNotMatch(text, / style=| on[a-z]+="/, path)
      assert.doesNotMatch(text, /<script(?![^>]* src="\/)/, path)
    }
  }))

test('answers under the names of this machine only', () =>
  withConsole(async (get) => {
    for (const host of ['localhost:2580', '127.0.0.1:2580', '[::1]:2580', 'alice.localhost:2580'])
      assert.equal((await get(`http://${host}/_health`)).status, 200, host)
    for (const host of ['evil.example:2580', 'localhost.evil.example', '10.0.0.1'])
      assert.equal((await get(`http://${host}/_health`)).status, 421, host)
  }))

test('takes forms of its own pages only', () =>
  withConsole(async (get) => {
    for (const origin of ['http://evil.example', 'null', 'http://localhost:3000', undefined]) {
      const headers = new Headers()
      if (origin !== undefined) headers.set('origin', origin)
      const response = await get('/write/sign-out', { method: 'POST', headers })
      assert.equal(response.status, 403, `from ${origin}`)
    }
    const own = await get('/write/sign-out', { method: 'POST', headers: { origin: 'http://localhost:2580' } })
    assert.equal(own.status, 303)
  }))

test('whoever has not signed in is led to where one does', () =>
  withConsole(async (get) => {
    for (const form of ['post', 'record']) {
      const response = await get(`/write/${form}`, {
        method: 'POST',
        headers: { origin: 'http://localhost:2580' },
        body: new URLSearchParams({ text: 'hello' }),
      })
      assert.equal(response.headers.get('location'), '/write')
    }
  }))

test('a filter that is none is explained beside the form, and keeps what was typed', () =>
  withConsole(async (get) => {
    const response = await get('/live?collection=%22%3E%3Cscript%3E')
    assert.equal(response.status, 400)
    const text = await response.text()
    assert.match(text, /role="alert">‘&quot;&gt;&lt;script&gt;’ is no collection/)
    assert.match(text, /value="&quot;&gt;&lt;script&gt;"/)
    assert.doesNotMatch(text, /<script>/)
    assert.equal((await get('/live/stream?collection=%22')).status, 400)
  }))

test('the stream of rows is one of server-sent events, and ends when the console does', async () => {
  let reader: ReadableStreamDefaultReader<Uint8Array> | undefined
  await withConsole(async (get) => {
    const response = await get('/live/stream')
    assert.equal(response.headers.get('content-type'), 'text/event-stream')
    reader = response.body!.getReader()
    const { value } = await reader.read()
    assert.match(new TextDecoder().decode(value), /^retry: \d+\n\n$/)
  })
  assert.equal((await reader!.read()).done, true)
})

test('accounts and events that do not exist are not found', () =>
  withConsole(async (get) => {
    for (const path of [
      '/accounts/alice',
      '/live/relay/1',
      '/live/nowhere/1',
      '/write/traces/1',
      '/accounts/did:web:example.com/not%20a%20name/x',
      '/nowhere',
    ])
      assert.equal((await get(path)).status, 404, path)
  }))

test('style sheet, script and mark are there', () =>
  withConsole(async (get) => {
    for (const [path, type] of [
      ['/assets/console.css', 'text/css; charset=utf-8'],
      ['/assets/live.js', 'text/javascript; charset=utf-8'],
      ['/assets/mark.svg', 'image/svg+xml'],
    ] as const) {
      const response = await get(path)
      assert.equal(response.headers.get('content-type'), type)
      assert.ok((await response.text()).length > 100)
    }
  }))
