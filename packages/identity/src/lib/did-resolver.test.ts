import assert from 'node:assert/strict'
import test from 'node:test'
import type { Did } from '@imago/syntax'
import { createDidResolver } from './did-resolver.ts'
import { didWebUrl } from './did-web.ts'
import { IdentityError } from './identity-error.ts'

const did = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
const answering = (respond: (url: string, init?: RequestInit) => Response | Promise<Response>) =>
  createDidResolver({
    plcUrl: 'http://localhost:2582/',
    fetch: (async (url: string, init?: RequestInit) => respond(url, init)) as typeof fetch,
    timeoutMs: 50,
    maxBytes: 1000,
  })
const document = (id: string) => Response.json({ id })

test('each method is asked for where its documents lie', async () => {
  const resolver = answering((url) => {
    assert.match(String(url), /did/)
    return document(url.includes('2582') ? did : 'did:web:example.com')
  })
  assert.equal((await resolver.resolve(did)).id, did)
  assert.equal((await resolver.resolve('did:web:example.com')).id, 'did:web:example.com')
  for (const unknown of ['did:key:zQ3s', 'did:plc:short', 'did:plc:AAAAAAAAAAAAAAAAAAAAAAAA'] as Did[])
    await assert.rejects(resolver.resolve(unknown), { code: 'DidNotFound' })
})

test('did:web is a domain, and nothing but', () => {
  const url = (did: string) => didWebUrl(did as Did).href
  assert.equal(url('did:web:Example.COM'), 'https://example.com/.well-known/did.json')
  assert.equal(url('did:web:localhost%3A2583'), 'http://localhost:2583/.well-known/did.json')
  assert.equal(url('did:web:localhost'), 'http://localhost/.well-known/did.json')
  for (const refused of [
    'did:web:example.com:user',
    'did:web:example.com%3A8443',
    'did:web:127.0.0.1',
    'did:web:0x7f.1',
    'did:web:intranet',
    'did:web:a@b.com',
    'did:web:example.com%2Fpath',
    'did:web:localhost%3A99999',
    'did:web:',
  ])
    assert.throws(() => url(refused), { code: 'Refused' }, refused)
})

test('[PLC-4] [PLC-5] what the directory answers tells not registered, ended and unavailable apart', async () => {
  const cases: [Response, string][] = [
    [Response.json({ message: `DID not registered: ${did}` }, { status: 404 }), 'DidNotFound'],
    [Response.json({ message: `DID not available: ${did}` }, { status: 404 }), 'DidDeactivated'],
    [Response.json({ message: `DID not available: ${did}` }, { status: 410 }), 'DidDeactivated'],
    [new Response('', { status: 503 }), 'Unavailable'],
    [new Response('', { status: 429 }), 'Unavailable'],
    [new Response('<html>'), 'InvalidDocument'],
    [document('did:plc:bbbbbbbbbbbbbbbbbbbbbbbb'), 'InvalidDocument'],
    [new Response(`"${'x'.repeat(1001)}"`), 'TooLarge'],
  ]
  for (const [response, code] of cases) await assert.rejects(answering(() => response).resolve(did), { code })
})

test('silence is unavailability, and a caller who leaves is not kept', async () => {
  const silent = answering(
    (_, init) =>
      new Promise((_, reject) => {
        const signal = init!.signal!
        if (signal.aborted) reject(signal.reason)
        signal.addEventListener('abort', () => reject(signal.reason))
      }),
  )
  await assert.rejects(silent.resolve(did), { code: 'Unavailable' })
  const reason = new Error('left')
  await assert.rejects(
    silent.resolve(did, { signal: AbortSignal.abort(reason) }),
    (error) => error === reason,
  )
  const refusing = answering(() => Promise.reject(new IdentityError('Refused', 'no')))
  await assert.rejects(refusing.resolve('did:web:example.com'), { code: 'Refused' })
})
