import assert from 'node:assert/strict'
import test from 'node:test'
import { Secp256k1Keypair } from '@atproto/crypto'
import { IdResolver } from '@atproto/identity'
import { Client, PlcClientError } from '@did-plc/lib'
import { createDidResolver } from '@imago/identity'
import { serve } from '@imago/service'
import { createPlc } from './create-plc.ts'

test('[PLC-40] the clients that people have work against it as it is', async () => {
  await using plc = await createPlc({ databaseFile: ':memory:' })
  await using server = await serve({ fetch: plc.fetch, hostname: '127.0.0.1', port: 0 })
  const client = new Client(server.url)
  const [owner, host] = [await Secp256k1Keypair.create(), await Secp256k1Keypair.create()]

  const did = await client.createDid({
    signingKey: host.did(),
    handle: 'alice.test',
    pds: 'https://pds.test',
    rotationKeys: [owner.did(), host.did()],
    signer: host,
  })
  await client.updateHandle(did, host, 'bob.test')
  assert.deepEqual((await client.getDocumentData(did)).alsoKnownAs, ['at://bob.test'])
  assert.equal((await client.getDocument(did)).id, did)
  assert.equal((await client.getOperationLog(did)).length, 2)
  assert.equal((await client.getAuditableLog(did)).length, 2)
  assert.equal((await client.export()).length, 2)
  assert.ok('version' in (await client.health()))

  const identities = new IdResolver({ plcUrl: server.url, fetch })
  assert.equal((await identities.did.resolveAtprotoData(did)).pds, 'https://pds.test')
  const ours = createDidResolver({ plcUrl: server.url, fetch })
  assert.equal((await ours.resolve(did as `did:plc:${string}`)).id, did)

  await client.tombstone(did, owner)
  assert.equal((await client.getLastOp(did)).type, 'plc_tombstone')
  await assert.rejects(client.getDocument(did), (error) => {
    assert.ok(error instanceof PlcClientError)
    assert.equal(error.status, 410)
    assert.deepEqual(error.data, { message: `DID not available: ${did}` })
    return true
  })
  await assert.rejects(ours.resolve(did as `did:plc:${string}`), { code: 'DidDeactivated' })
})
