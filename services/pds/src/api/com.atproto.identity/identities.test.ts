import assert from 'node:assert/strict'
import test from 'node:test'
import { createDirectory, type DidDocument, IdentityError, type IdentityErrorCode } from '@imago/identity'
import { createManualClock } from '@imago/sim/clock'
import type { Did, Handle } from '@imago/syntax'
import { createXrpcServer } from '@imago/xrpc/server'
import { mapError } from '../map-error.ts'
import type { Ports } from '../ports.ts'
import { refreshIdentity } from './refreshIdentity.ts'
import { resolveDid } from './resolveDid.ts'
import { resolveHandle } from './resolveHandle.ts'
import { resolveIdentity } from './resolveIdentity.ts'

const alice: Did = 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa'
const bob: Did = 'did:plc:bbbbbbbbbbbbbbbbbbbbbbbb'
const documentOf = (id: Did, handle?: string): DidDocument => ({
  id,
  alsoKnownAs: handle === undefined ? [] : [`at://${handle}`],
  verificationMethod: [],
  service: [],
})

/** A server that has the account `own.pds.test`, in a world that a test rearranges. */
function world() {
  const clock = createManualClock()
  const asked: string[] = []
  const documents = new Map<Did, DidDocument | IdentityErrorCode>()
  const names = new Map<Handle, Did>()
  const directory = createDirectory({
    now: clock.now,
    dids: {
      async resolve(did) {
        asked.push(did)
        const found = documents.get(did) ?? 'DidNotFound'
        if (typeof found === 'string') throw new IdentityError(found, `${found}: ${did}`)
        return found
      },
    },
    handles: {
      async resolve(handle) {
        asked.push(handle)
        const did = names.get(handle)
        if (did === undefined) throw new IdentityError('HandleNotFound', `${handle} names nobody`)
        return did
      },
    },
  })
  const own = new Map([
    ['own.pds.test', { did: alice, status: undefined }],
    ['gone.pds.test', { did: bob, status: 'deactivated' }],
  ])
  const ports = {
    accounts: { byHandle: async (handle: Handle) => own.get(handle) },
    directory,
    server: { handleDomains: ['.pds.test'] },
    now: clock.now,
  } as unknown as Ports
  const xrpc = createXrpcServer({
    methods: [resolveHandle(ports), resolveDid(ports), resolveIdentity(ports), refreshIdentity(ports)],
    mapError,
    checkOutput: true,
    onUnexpectedError: (error) => assert.fail(error as Error),
  })
  const answerOf = async (response: Response) => ({
    status: response.status,
    ...((await response.json()) as object),
  })
  const get = async (name: string, params: Record<string, string>) =>
    answerOf(
      await xrpc.fetch(
        new Request(`http://pds/xrpc/com.atproto.identity.${name}?${new URLSearchParams(params)}`),
      ),
    )
  const refresh = async (identifier: string) =>
    answerOf(
      await xrpc.fetch(
        new Request('http://pds/xrpc/com.atproto.identity.refreshIdentity', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ identifier }),
        }),
      ),
    )
  const questions = () => asked.splice(0)
  return { clock, documents, names, get, refresh, questions }
}

const errorOf = ({ status, error }: { status: number; error?: string }) => [status, error]

test('[I2] resolveDid answers the document, whatever it claims', async () => {
  const { documents, get } = world()
  documents.set(bob, { ...documentOf(bob, 'not-mine.test'), '@context': ['https://www.w3.org/ns/did/v1'] })
  assert.deepEqual(await get('resolveDid', { did: bob }), { status: 200, didDoc: documents.get(bob) })
})

test('[I2] what cannot be resolved has the name that the schema gives it', async () => {
  const { documents, get, refresh } = world()
  documents.set(alice, 'DidDeactivated')
  documents.set('did:web:down.test', 'Unavailable')
  documents.set('did:web:a.test:path', 'Refused')
  assert.deepEqual(errorOf(await get('resolveDid', { did: bob })), [400, 'DidNotFound'])
  assert.deepEqual(errorOf(await get('resolveDid', { did: alice })), [400, 'DidDeactivated'])
  assert.deepEqual(errorOf(await get('resolveDid', { did: 'did:web:a.test:path' })), [400, 'DidNotFound'])
  assert.deepEqual(errorOf(await get('resolveDid', { did: 'did:web:down.test' })), [502, 'UpstreamFailure'])
  assert.deepEqual(errorOf(await get('resolveDid', { did: 'bob' })), [400, 'InvalidRequest'])
  assert.deepEqual(errorOf(await get('resolveIdentity', { identifier: bob })), [400, 'DidNotFound'])
  assert.deepEqual(errorOf(await get('resolveIdentity', { identifier: alice })), [400, 'DidDeactivated'])
  for (const identifier of ['nobody.test', 'nobody.pds.test', 'gone.pds.test']) {
    assert.deepEqual(errorOf(await get('resolveIdentity', { identifier })), [400, 'HandleNotFound'])
    assert.deepEqual(errorOf(await refresh(identifier)), [400, 'HandleNotFound'])
  }
})

test('[I2] resolveIdentity answers DID, verified handle and document, for either identifier', async () => {
  const { documents, names, get } = world()
  const didDoc = documentOf(bob, 'bob.test')
  documents.set(bob, didDoc)
  names.set('bob.test', bob)
  const expected = { status: 200, did: bob, handle: 'bob.test', didDoc }
  assert.deepEqual(await get('resolveIdentity', { identifier: bob }), expected)
  assert.deepEqual(await get('resolveIdentity', { identifier: 'BOB.test' }), expected)
})

test('[I2] a handle that does not agree both ways is handle.invalid', async () => {
  const { documents, names, get } = world()
  const handleOf = async (identifier: string) =>
    ((await get('resolveIdentity', { identifier })) as unknown as { handle: string }).handle
  documents.set(bob, documentOf(bob))
  assert.equal(await handleOf(bob), 'handle.invalid')
  documents.set(alice, documentOf(alice, 'bob.test'))
  names.set('bob.test', bob)
  assert.equal(await handleOf(alice), 'handle.invalid')
  assert.equal(await handleOf('bob.test'), 'handle.invalid')
})

test('[I2] about its own handles this server asks nobody', async () => {
  const { documents, get, questions } = world()
  documents.set(alice, documentOf(alice, 'own.pds.test'))
  for (const identifier of ['own.pds.test', alice]) {
    const { handle, did } = (await get('resolveIdentity', { identifier })) as never as {
      handle: string
      did: string
    }
    assert.deepEqual([handle, did], ['own.pds.test', alice])
  }
  assert.deepEqual(questions(), [alice])
})

test('[I2] refreshIdentity asks anew, each question once, and not again at once', async () => {
  const { clock, documents, names, get, refresh, questions } = world()
  documents.set(bob, documentOf(bob, 'bob.test'))
  names.set('bob.test', bob)
  await get('resolveIdentity', { identifier: bob })
  assert.deepEqual(questions(), [bob, 'bob.test'])
  await get('resolveIdentity', { identifier: bob })
  assert.deepEqual(questions(), [])
  documents.set(bob, documentOf(bob, 'robert.test'))
  names.set('robert.test', bob)
  const refreshed = (await refresh(bob)) as unknown as { handle: string }
  assert.equal(refreshed.handle, 'robert.test')
  assert.deepEqual(questions(), [bob, 'robert.test'])
  assert.deepEqual(errorOf(await refresh(bob)), [429, 'RateLimitExceeded'])
  assert.deepEqual(questions(), [])
  const known = (await get('resolveIdentity', { identifier: bob })) as unknown as { handle: string }
  assert.equal(known.handle, 'robert.test')
  clock.advance(5000)
  assert.equal((await refresh('robert.test')).status, 200)
  assert.deepEqual(questions(), ['robert.test', bob])
  assert.equal((await refresh(bob)).status, 200)
})

test('[I2] strangers cannot have this server ask the world without end', async () => {
  const { clock, refresh, questions } = world()
  for (let i = 0; i < 300; i++) assert.equal((await refresh(`n${i}.test`)).status, 400)
  assert.equal(questions().length, 300)
  assert.deepEqual(errorOf(await refresh('one-more.test')), [429, 'RateLimitExceeded'])
  assert.equal(questions().length, 0)
  clock.advance(60_000)
  assert.equal((await refresh('one-more.test')).status, 400)
})
