import assert from 'node:assert/strict'
import test from 'node:test'
import { verifyRecords as peerVerifyRecords, verifyRepoCar as peerVerifyRepoCar } from '@atproto/repo'
import { generateKeypair } from '@imago/crypto'
import { type Block, BlockMap, type Cid, DataError, readCar, writeCar } from '@imago/data'
import { signCommit } from './commit.ts'
import { exportRepo } from './export-repo.ts'
import { Mst } from './mst.ts'
import { pathOf, recordOf } from './naive-tree.fixture.ts'
import { decodeNode } from './node-codec.ts'
import { recordProof, verifyRecordProof } from './record-proof.ts'
import { MissingBlockError, RepoError } from './repo-error.ts'
import { verifyRepo } from './verify-repo.ts'
import { writeCommit } from './write-commit.ts'

const did = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'
const keypair = generateKeypair('k256')
const key = keypair.publicKey
const rev = '3jzfcijpj2z2a'

function repoOf(size: number): { head: Cid; blocks: BlockMap; records: Map<string, Cid> } {
  const writes = Array.from({ length: size }, (_, n) => ({
    action: 'create' as const,
    path: pathOf(n),
    block: recordOf(n),
  }))
  const { signed, newBlocks } = writeCommit({ did, source: new BlockMap(), head: null, writes, rev, keypair })
  const records = new Map(writes.map(({ path, block }) => [path, block.cid]))
  return { head: signed.cid, blocks: newBlocks, records }
}
const code = (expected: string) => (error: unknown) => error instanceof RepoError && error.code === expected

test('a repository that is exported is verified as what it is', () => {
  for (const size of [0, 1, 250]) {
    const { head, blocks, records } = repoOf(size)
    const car = readCar(writeCar([head], exportRepo(blocks, head)))
    assert.equal(car.blocks.size, blocks.size)
    const verified = verifyRepo(car, { did, key })
    assert.ok(verified.cid.equals(head))
    assert.deepEqual([...verified.records.keys()], [...records.keys()].sort())
    for (const [path, cid] of verified.records) assert.ok(cid.equals(records.get(path)!))
  }
})

test('the reference implementation verifies what is exported, and the same records in it', async () => {
  const { head, blocks, records } = repoOf(60)
  const car = writeCar([head], exportRepo(blocks, head))
  const { creates, commit } = await peerVerifyRepoCar(car, did, keypair.didKey)
  assert.equal(String(commit.cid), String(head))
  assert.deepEqual(
    creates.map(({ collection, rkey, cid }) => [`${collection}/${rkey}`, String(cid)]).sort(),
    [...records].map(([path, cid]) => [path, String(cid)]).sort(),
  )
  const proof = writeCar([head], recordProof(blocks, head, pathOf(7)))
  const [claim] = await peerVerifyRecords(proof, did, keypair.didKey)
  assert.equal(`${claim?.collection}/${claim?.rkey}`, pathOf(7))
})

test('blocks come in the order in which one pass can consume them', () => {
  const { head, blocks } = repoOf(300)
  const sent = [...exportRepo(blocks, head)]
  assert.ok(sent[0]!.cid.equals(head))
  // What a consumer expects next, the nearest first; it never looks back and never looks ahead.
  const expected: Cid[] = [Mst.open(blocks, verifyRepo({ roots: [head], blocks }).commit.data).root]
  for (const { cid } of sent.slice(1)) {
    assert.ok(cid.equals(expected.shift()!))
    const links = linksOf(blocks, cid)
    expected.unshift(...links)
  }
  assert.deepEqual(expected, [])
})

/** What a node refers to, in the order in which it is sent: `l`, and for each entry its record, then `t`. */
function linksOf(blocks: BlockMap, cid: Cid): Cid[] {
  const { bytes } = { bytes: blocks.get(cid)! }
  if (bytes[0] !== 0xa2 || bytes[2] !== 0x65) return []
  const node = decodeNode(bytes)
  return [node.links[0]!, ...node.keys.flatMap((_, i) => [node.values[i]!, node.links[i + 1]!])]
    .filter((link) => link !== null)
    .map((link) => link.cid)
}

test('a store is asked for each block once', () => {
  const { head, blocks } = repoOf(100)
  let asked = 0
  const counting = {
    get(cid: Cid) {
      asked++
      return blocks.get(cid)
    },
  }
  assert.equal([...exportRepo(counting, head)].length, asked)
})

test('a record at two paths is sent at both', () => {
  const block = recordOf(1)
  const writes = ['a.b.c/one', 'a.b.c/two'].map((path) => ({ action: 'create' as const, path, block }))
  const { signed, newBlocks } = writeCommit({ did, source: new BlockMap(), head: null, writes, rev, keypair })
  const sent = [...exportRepo(newBlocks, signed.cid)].filter(({ cid }) => cid.equals(block.cid))
  assert.equal(sent.length, 2)
})

test('whatever lacks is named as missing, by the exporter and by the verifier', () => {
  const { head, blocks } = repoOf(40)
  for (const { cid } of [...blocks]) {
    const partial = new BlockMap([...blocks].filter((block) => !block.cid.equals(cid)))
    for (const attempt of [
      () => [...exportRepo(partial, head)],
      () => verifyRepo({ roots: [head], blocks: partial }),
    ])
      assert.throws(attempt, (error) => error instanceof MissingBlockError && error.cid.equals(cid))
  }
})

test('someone else’s repository, or signed by another key, is refused', () => {
  const { head, blocks } = repoOf(3)
  const car = { roots: [head], blocks }
  assert.throws(() => verifyRepo(car, { did: 'did:plc:other' }), code('InvalidCommit'))
  assert.throws(() => verifyRepo(car, { key: generateKeypair('k256').publicKey }), code('InvalidSignature'))
  assert.throws(() => verifyRepo({ roots: [], blocks }), code('InvalidCommit'))
  assert.throws(() => verifyRepo({ roots: [recordOf(1).cid], blocks }), code('InvalidCommit'))
  assert.ok(verifyRepo({ roots: [head, recordOf(1).cid], blocks }, { did, key }), 'the first root counts')
})

test('a tree whose keys are no repository paths is refused', () => {
  const tree = Mst.from([['A0/374913', recordOf(1).cid]])
  const signed = signCommit({ did, data: tree.root, rev }, keypair)
  const blocks = new BlockMap([signed, ...tree.nodes(), recordOf(1)])
  assert.throws(() => verifyRepo({ roots: [signed.cid], blocks }), code('InvalidKey'))
})

test('a proof shows the record that is there, and that there is none', () => {
  const { head, blocks, records } = repoOf(200)
  for (const path of [...records.keys()].slice(0, 30)) {
    const proof = recordProof(blocks, head, path)
    assert.ok(proof.size < 15)
    const { record } = verifyRecordProof({ roots: [head], blocks: proof }, path, { did, key })
    assert.ok(record, path)
    assert.ok(record.cid.equals(records.get(path)!))
    assert.deepEqual(record.bytes, blocks.get(record.cid))
    const absent = `${path}-`
    const exclusion = recordProof(blocks, head, absent)
    assert.equal(verifyRecordProof({ roots: [head], blocks: exclusion }, absent, { did, key }).record, null)
    for (const { cid } of exclusion) {
      const partial = new BlockMap([...exclusion].filter((block) => !block.cid.equals(cid)))
      assert.throws(() => verifyRecordProof({ roots: [head], blocks: partial }, absent), MissingBlockError)
    }
  }
  assert.throws(() => recordProof(blocks, head, 'no path'), code('InvalidKey'))
  assert.throws(() => verifyRecordProof({ roots: [head], blocks }, 'a.b.c/d/e'), code('InvalidKey'))
})

test('a byte swapped in any block is refused by every verifier, also where nobody hashed the blocks before', () => {
  const { head, blocks, records } = repoOf(30)
  const present = [...records.keys()][5]!
  const verifiers: [sent: BlockMap, verify: (car: { roots: Cid[]; blocks: BlockMap }) => unknown][] = [
    [blocks, (car) => verifyRepo(car, { did, key })],
    [recordProof(blocks, head, present), (car) => verifyRecordProof(car, present, { did, key })],
    [recordProof(blocks, head, `${present}-`), (car) => verifyRecordProof(car, `${present}-`, { did, key })],
  ]
  for (const [sent, verify] of verifiers) {
    verify({ roots: [head], blocks: sent })
    for (const block of [...sent])
      for (const at of [0, block.bytes.length >> 1, block.bytes.length - 1]) {
        const forged = new BlockMap(sent).set(block.cid, withByteSwapped(block, at))
        assert.throws(() => verify({ roots: [head], blocks: forged }), code('InvalidBlock'))
        assert.throws(
          () => readCar(writeCar([head], forged)),
          (error) => error instanceof DataError && error.code === 'InvalidCar',
        )
      }
  }
})

function withByteSwapped(block: Block, at: number): Uint8Array {
  const bytes = block.bytes.slice()
  bytes[at]! ^= 0x01
  return bytes
}
