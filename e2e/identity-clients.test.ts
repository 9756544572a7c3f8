// @did-plc/lib makes and changes a DID; @atproto/identity resolves in both directions; @atcute/client reads the PDS.
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, test } from 'node:test'
import { Client as AtcuteClient, simpleFetchHandler } from '@atcute/client'
import { Secp256k1Keypair } from '@atproto/crypto'
import { IdResolver } from '@atproto/identity'
import { Client as PlcClient } from '@did-plc/lib'
import { signUp } from './accounts.ts'
import { type Network, startNetwork } from './network.ts'

let network: Network
before(async () => {
  network = await startNetwork()
})
after(() => network[Symbol.asyncDispose]())

test('[PLC-3, PLC-6, PLC-7, PLC-8, PLC-9, PLC-10] @did-plc/lib creates, updates and tombstones a DID', async () => {
  const client = new PlcClient(network.plc)
  const rotation = await Secp256k1Keypair.create()
  const signing = await Secp256k1Keypair.create()
  const did = await client.createDid({
    signingKey: signing.did(),
    handle: 'carol.test',
    pds: network.pds,
    rotationKeys: [rotation.did()],
    signer: rotation,
  })
  assert.deepEqual((await client.getDocumentData(did)).alsoKnownAs, ['at://carol.test'])

  await client.updateHandle(did, rotation, 'carol2.test')
  const next = await Secp256k1Keypair.create()
  await client.updateAtprotoKey(did, rotation, next.did())
  const data = await client.getDocumentData(did)
  assert.deepEqual(data.alsoKnownAs, ['at://carol2.test'])
  assert.equal(data.verificationMethods['atproto'], next.did())
  assert.equal((await client.getOperationLog(did)).length, 3)
  assert.ok((await client.getAuditableLog(did)).every((entry) => !entry.nullified))

  await assert.rejects(client.updateHandle(did, signing, 'stolen.test'), { status: 400 })
  await client.tombstone(did, rotation)
  await assert.rejects(client.getDocument(did), { status: 410 })
})

test('@atproto/identity resolves DID to handle and handle to DID', async () => {
  const { did, handle } = await signUp(network.pds)
  const pds = new URL(network.pds)
  // What DNS and a TLS proxy do on the public network: the handle's own host leads to the PDS.
  const throughProxy: typeof fetch = (input, init) => {
    const url = new URL(String(input instanceof Request ? input.url : input))
    if (!url.hostname.endsWith('.test')) return fetch(input, init)
    return new Promise((resolve, reject) => {
      const outgoing = request(
        { host: pds.hostname, port: pds.port, path: url.pathname, headers: { host: url.hostname } },
        async (incoming) =>
          resolve(new Response((await incoming.toArray()).join(''), { status: incoming.statusCode! })),
      )
      outgoing.once('error', reject)
      outgoing.end()
    })
  }
  const resolver = new IdResolver({ plcUrl: network.plc, fetch: throughProxy })
  assert.equal(await resolver.handle.resolve(handle), did)
  const data = await resolver.did.resolveAtprotoData(did)
  assert.equal(data.handle, handle)
  assert.equal(new URL(data.pds).origin, pds.origin)
  assert.match(data.signingKey, /^did:key:zQ3s/)
})

test('@atcute/client calls queries and procedures', async () => {
  const { agent, did } = await signUp(network.pds)
  const client = new AtcuteClient({ handler: simpleFetchHandler({ service: network.pds }) })
  const written = await client.post(
    'com.atproto.repo.createRecord' as never,
    {
      input: { repo: did, collection: 'com.example.note', record: { $type: 'com.example.note', n: 7 } },
      headers: { authorization: `Bearer ${agent.session!.accessJwt}` },
    } as never,
  )
  assert.equal(written.ok, true, JSON.stringify(written.data))
  const read = await client.get(
    'com.atproto.repo.listRecords' as never,
    {
      params: { repo: did, collection: 'com.example.note' },
    } as never,
  )
  assert.equal(read.ok, true)
  assert.equal((read.data as { records: { value: { n: number } }[] }).records[0]!.value.n, 7)
})
