import assert from 'node:assert/strict'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import {
  createGenesis,
  findSigner,
  type Operation,
  parseOperation,
  updateOperation,
} from '@imago/identity/plc'
import { packSignatures, unpackSignatures } from './signature-batch.ts'
import { openSignaturePool } from './signature-pool.ts'

const [user, host, stranger] = [generateKeypair('p256'), generateKeypair('k256'), generateKeypair('k256')]
const { operation: genesis } = createGenesis(
  {
    rotationKeys: [user.didKey, host.didKey],
    verificationMethods: JSON.parse(`{"__proto__": "${host.didKey}"}`),
    alsoKnownAs: ['at://alice.test'],
    services: {},
  },
  host,
)
const parsed = (operation: Operation) => parseOperation(JSON.parse(JSON.stringify(operation)), 'replay')

test('[PLC-31] threads find the signers that one thread finds', async () => {
  await using pool = openSignaturePool(3)
  const keys = [user.didKey, host.didKey, user.didKey]
  const update = updateOperation(genesis, { alsoKnownAs: [] }, user)
  const items = [
    { keys, operation: parsed(genesis) },
    { keys, operation: update },
    { keys: [stranger.didKey], operation: genesis },
    { keys, operation: { ...genesis, sig: `${genesis.sig}=` } },
    { keys: [], operation: genesis },
    { keys: ['', 'did:key:zNobody', host.didKey], operation: genesis },
    { keys: [host.didKey], operation: { ...genesis, alsoKnownAs: [] } },
  ]
  const alone = items.map(({ keys, operation }) => findSigner(keys, operation))
  assert.deepEqual(alone, [1, 0, -1, -1, -1, 2, -1])
  assert.deepEqual(await pool.findSigners(items), alone)
  assert.deepEqual(await pool.findSigners([]), [])
  assert.deepEqual(
    await Promise.all(items.map(async (item) => (await pool.findSigners([item]))[0])),
    alone,
    'questions asked at once get their own answers',
  )
})

test('a batch tells every signature as it was, and each key once', () => {
  const items = Array.from({ length: 300 }, (_, i) => ({
    keys: Array.from({ length: i === 7 ? 7000 : i % 3 }, (_, k) => `key ${(i + k) % 7500}`),
    message: new Uint8Array(i * 25).fill(i),
    signature: new Uint8Array(64).fill(i + 1),
  }))
  const batch = packSignatures(items)
  assert.equal(new Set(batch.keys).size, batch.keys.length)
  assert.deepEqual([...unpackSignatures(batch)], items)
})
