import assert from 'node:assert/strict'
import test from 'node:test'
import { P256Keypair, Secp256k1Keypair } from '@atproto/crypto'
import * as peer from '@did-plc/lib'
import { generateKeypair, importKeypair, type Keypair } from '@imago/crypto'
import { createGenesis, tombstoneOperation, updateOperation } from './author-operation.ts'
import type { Operation, PlcData } from './operation.ts'
import { didOfGenesis, operationCid } from './operation-bytes.ts'
import { parseOperation } from './parse-operation.ts'
import { acceptOperation, createLog, stateOf } from './plc-log.ts'

const atproto = (rotation: readonly Keypair[]): PlcData => ({
  rotationKeys: rotation.map(({ didKey }) => didKey),
  verificationMethods: { atproto: rotation[0]!.didKey },
  alsoKnownAs: ['at://alice.test'],
  services: { atproto_pds: { type: 'AtprotoPersonalDataServer', endpoint: 'https://pds.test' } },
})

test('another implementation takes our genesis, update and tombstone, and sees the same data', async () => {
  for (const curve of ['k256', 'p256'] as const) {
    const keypair = generateKeypair(curve)
    const { did, operation: genesis } = createGenesis(atproto([keypair, generateKeypair('p256')]), keypair)
    const update = updateOperation(genesis, { alsoKnownAs: ['at://bob.test'] }, keypair)
    const tombstone = tombstoneOperation(update, keypair)
    const log = createLog(did)
    acceptOperation(log, genesis, 1)
    acceptOperation(log, update, 2)
    const theirs = await peer.validateOperationLog(did, [genesis, update] as peer.CompatibleOpOrTombstone[])
    assert.deepEqual(theirs, stateOf(log))
    assert.equal(
      await peer.validateOperationLog(did, [genesis, update, tombstone] as peer.CompatibleOpOrTombstone[]),
      null,
    )
  }
})

test('we take the operations of another implementation, and get to the same DID', async () => {
  for (const signer of [
    await Secp256k1Keypair.create({ exportable: true }),
    await P256Keypair.create({ exportable: true }),
  ]) {
    const { op, did } = await peer.createOp({
      signingKey: signer.did(),
      handle: 'alice.test',
      pds: 'https://pds.test',
      rotationKeys: [signer.did()],
      signer,
    })
    const genesis = parseOperation(op, 'ingest')
    assert.equal(didOfGenesis(genesis), did)
    const log = createLog(did)
    acceptOperation(log, genesis, 1)
    acceptOperation(log, parseOperation(await peer.updateHandleOp(op, signer, 'bob.test'), 'ingest'), 2)
    assert.deepEqual(stateOf(log)?.alsoKnownAs, ['at://bob.test'])

    // And with the same key in our hands the chain goes on.
    const ours = importKeypair(signer.jwtAlg === 'ES256' ? 'p256' : 'k256', await signer.export())
    acceptOperation(log, tombstoneOperation(log.head!.operation, ours), 3)
    assert.equal(stateOf(log), undefined)
  }
})

test('a legacy genesis of another implementation replays', async () => {
  const signer = await Secp256k1Keypair.create()
  const legacy = await peer.deprecatedSignCreate(
    {
      type: 'create',
      signingKey: signer.did(),
      recoveryKey: signer.did(),
      handle: 'alice.test',
      service: 'pds.test',
      prev: null,
    },
    signer,
  )
  const did = await peer.didForCreateOp(legacy)
  const operation: Operation = parseOperation(legacy, 'replay')
  const log = createLog(did)
  acceptOperation(log, operation, 1)
  assert.deepEqual(stateOf(log), await peer.validateOperationLog(did, [legacy]))
  const next = await peer.updateHandleOp(legacy, signer, 'bob.test')
  assert.equal(next.prev, operationCid(operation).toString())
  acceptOperation(log, parseOperation(next, 'replay'), 2)
})
