import assert from 'node:assert/strict'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import { type DataMap, decode, encode, type Value } from '@imago/data'
import { parseCommit, signCommit, verifyCommitSignature } from './commit.ts'
import { cidOf } from './naive-tree.fixture.ts'
import { RepoError } from './repo-error.ts'

const did = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'
const rev = '3jzfcijpj2z2a'

test('a signed commit is parsed as what was signed, and the signature is the key’s', () => {
  for (const curve of ['k256', 'p256'] as const) {
    const keypair = generateKeypair(curve)
    const { bytes, commit } = signCommit({ did, data: cidOf(1), rev }, keypair)
    assert.deepEqual(parseCommit(bytes), commit)
    assert.equal(commit.prev, null)
    assert.ok(Object.hasOwn(decode(bytes) as DataMap, 'prev'), 'prev is there, and null')
    assert.ok(verifyCommitSignature(bytes, keypair.publicKey))
    assert.ok(verifyCommitSignature(commit, keypair.publicKey))
    assert.ok(!verifyCommitSignature(bytes, generateKeypair(curve).publicKey))
    assert.ok(!verifyCommitSignature({ ...commit, data: cidOf(2) }, keypair.publicKey))
    assert.ok(!verifyCommitSignature({ ...commit, prev: cidOf(2) }, keypair.publicKey))
  }
})

test('a commit that is not exactly one is refused by what is wrong', () => {
  const { bytes } = signCommit({ did, data: cidOf(1), rev }, generateKeypair('k256'))
  const good = decode(bytes) as DataMap
  const rows: [Value, RegExp][] = [
    [[], /not a map/],
    [{}, /did, version, data, rev, prev, sig missing/],
    [{ ...good, version: 2 }, /version 2/],
    [{ ...good, version: '3' }, /version "3"/],
    [{ ...good, did: 'alice.test' }, /alice\.test/],
    [{ ...good, data: null }, /data/],
    [{ ...good, rev: 'a' }, /TID/],
    [{ ...good, prev: 'a' }, /prev/],
    [{ ...good, sig: 'a' }, /sig/],
    [{ ...good, sig: new Uint8Array(65) }, /sig/],
    [{ ...good, blobs: [] }, /unknown fields: blobs/],
  ]
  for (const field of Object.keys(good)) {
    const { [field]: _, ...rest } = good
    rows.push([rest, new RegExp(`${field} missing`)])
  }
  for (const [value, message] of rows)
    assert.throws(
      () => parseCommit(encode(value)),
      (error) => error instanceof RepoError && error.code === 'InvalidCommit' && message.test(error.message),
      String(message),
    )
  assert.throws(() => parseCommit(bytes.subarray(1)), RepoError)
  assert.throws(() => parseCommit(Uint8Array.of(...bytes, 0)), RepoError)
  assert.ok(parseCommit(encode({ ...good, prev: cidOf(3) })).prev?.equals(cidOf(3)))
})
