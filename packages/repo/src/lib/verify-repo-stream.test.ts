import assert from 'node:assert/strict'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import {
  type Block,
  BlockMap,
  type Cid,
  cidOfDrisl,
  cidOfRaw,
  concatBytes,
  DataError,
  encode,
  readCar,
  writeCar,
} from '@imago/data'
import { createRandom } from '@imago/sim/random'
import { parseCommit, signCommit } from './commit.ts'
import { exportRepo } from './export-repo.ts'
import type { HeldBlocks } from './held-blocks.ts'
import { Mst } from './mst.ts'
import { pathOf, recordOf } from './naive-tree.fixture.ts'
import { MissingBlockError, RepoError } from './repo-error.ts'
import { verifyRepo } from './verify-repo.ts'
import { type VerifyRepoStreamOptions, verifyRepoStream } from './verify-repo-stream.ts'

const did = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'
const keypair = generateKeypair('k256')
const key = keypair.publicKey
const rev = '3jzfcijpj2z2a'

function repoOf(size: number): { head: Cid; blocks: BlockMap; sent: Block[] } {
  const records = Array.from({ length: size }, (_, n) => recordOf(n))
  const tree = Mst.from(records.map(({ cid }, n) => [pathOf(n), cid] as const))
  const signed = signCommit({ did, data: tree.root, rev }, keypair)
  const blocks = new BlockMap([signed, ...tree.nodes(), ...records])
  return { head: signed.cid, blocks, sent: [...exportRepo(blocks, signed.cid)] }
}

function* inChunks(file: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < file.length; at += size) yield file.slice(at, at + size)
}

async function recordsOf(
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options: VerifyRepoStreamOptions = { did, key },
) {
  const { commit, cid, records } = await verifyRepoStream(chunks, options)
  const found: { path: string; cid: Cid; bytes: Uint8Array }[] = []
  for await (const batch of records)
    for (const { path, cid, bytes } of batch) found.push({ path, cid, bytes: bytes.slice() })
  return { commit, cid, found }
}

const code = (expected: string) => (error: unknown) => error instanceof RepoError && error.code === expected

test('a repository that arrives is what it is as a whole, however it is cut', async () => {
  for (const size of [0, 1, 40]) {
    const { head, blocks, sent } = repoOf(size)
    const file = writeCar([head], sent)
    const expected = verifyRepo(readCar(file), { did, key })
    for (const chunkBytes of [1, 37, 1000, file.length]) {
      const { commit, cid, found } = await recordsOf(inChunks(file, chunkBytes))
      assert.deepEqual(commit, expected.commit)
      assert.ok(cid.equals(head))
      assert.deepEqual(
        found.map(({ path, cid }) => `${path} ${cid}`),
        [...expected.records].map(([path, cid]) => `${path} ${cid}`),
      )
      for (const { cid, bytes } of found) assert.deepEqual(bytes, blocks.get(cid))
    }
  }
})

test('in streamable order nothing is kept; any other order does as well, within what may be kept', async () => {
  const { head, sent } = repoOf(100)
  const inOrder = writeCar([head], sent)
  const { found } = await recordsOf([inOrder], { did, key, maxHeldBytes: 0 })
  const random = createRandom(5)
  const orders = [
    sent.toReversed(),
    ...Array.from({ length: 5 }, () => random.shuffle(sent)),
    // As hosts send that know nothing of the order: nodes first.
    sent.toSorted((a, b) => Number(b.bytes[0] === 0xa2 && b.bytes[2] === 0x65) - Number(a.bytes[2] === 0x65)),
    // Twice, with a block that nobody refers to.
    [recordOf(9999), ...sent, ...sent],
  ]
  for (const order of orders) {
    const file = writeCar([head], order)
    assert.deepEqual((await recordsOf(inChunks(file, 500))).found, found)
    await assert.rejects(recordsOf([file], { maxHeldBytes: 100 }), code('LimitExceeded'))
  }
})

test('many small blocks that come early count for what keeping them takes, not for their bytes alone', async () => {
  const { head } = repoOf(1)
  const small = Array.from({ length: 2000 }, (_, n): Block => {
    const bytes = encode(n)
    return { cid: cidOfDrisl(bytes), bytes }
  })
  const file = writeCar([head], small)
  const maxHeldBytes = 20 * new BlockMap(small).byteLength
  await assert.rejects(recordsOf([file], { maxHeldBytes }), code('LimitExceeded'))
  // Whoever keeps them elsewhere knows what that takes.
  await assert.rejects(recordsOf([file], { maxHeldBytes, held: new BlockMap() }), MissingBlockError)
})

test('nodes are told of in pre-order, and what comes early is kept where the caller says, in bounded batches', async () => {
  const { head, blocks, sent } = repoOf(3000)
  const expected = [...Mst.open(blocks, parseCommit(blocks.get(head)!).data).nodes()].map(
    ({ cid }) => `${cid}`,
  )
  for (const order of [sent, sent.toReversed()]) {
    const nodes: string[] = []
    const memory = new BlockMap()
    const asked: number[] = []
    const held: HeldBlocks = {
      get byteLength() {
        return memory.byteLength
      },
      set: (cid, bytes) => memory.set(cid, bytes.slice()),
      get: (cid) => memory.get(cid),
    }
    const onNode = ({ cid }: Block) => nodes.push(`${cid}`)
    const { records } = await verifyRepoStream([writeCar([head], order)], { did, key, held, onNode })
    for await (const batch of records) asked.push(batch.length)
    assert.deepEqual(nodes, expected)
    assert.equal(memory.size > 0, order !== sent)
    assert.equal(
      asked.reduce((sum, length) => sum + length, 0),
      3000,
    )
    if (order !== sent) assert.ok(Math.max(...asked) < 3000, 'what had come early comes in several batches')
  }
})

test('what comes in lies in the same memory again and again, however large the repository', async () => {
  const { head, sent } = repoOf(3000)
  const memory = { records: new Set<ArrayBufferLike>(), nodes: new Set<ArrayBufferLike>() }
  const onNode = ({ bytes }: Block) => memory.nodes.add(bytes.buffer)
  const chunks = inChunks(writeCar([head], sent), 5000)
  const { records } = await verifyRepoStream(chunks, { did, key, onNode })
  for await (const batch of records) for (const { bytes } of batch) memory.records.add(bytes.buffer)
  assert.ok(memory.records.size <= 2, `${memory.records.size} for 3000 records`)
  // One for each level of the tree, of which none is as high.
  assert.ok(memory.nodes.size <= 16, `${memory.nodes.size} for nodes`)
})

test('a record at two paths comes twice in streamable order, and once is enough in another', async () => {
  const record = recordOf(1)
  const tree = Mst.from(['a', 'b', 'c'].map((rkey) => [`com.example.a/${rkey}`, record.cid] as const))
  const signed = signCommit({ did, data: tree.root, rev }, keypair)
  const blocks = new BlockMap([signed, ...tree.nodes(), record])
  for (const order of [[...exportRepo(blocks, signed.cid)], [record, ...blocks]])
    assert.equal((await recordsOf([writeCar([signed.cid], order)])).found.length, 3)
})

test('whatever lacks is named, wherever it lacks, and after records that were proven', async () => {
  const { head, sent } = repoOf(20)
  for (const { cid } of sent) {
    const file = writeCar(
      [head],
      sent.filter((block) => !block.cid.equals(cid)),
    )
    await assert.rejects(
      recordsOf([file]),
      (error) => error instanceof MissingBlockError && error.cid.equals(cid),
    )
  }
  const file = writeCar([head], sent)
  for (const end of [0, 1, 30, 200, file.length - 1])
    await assert.rejects(
      recordsOf([file.subarray(0, end)]),
      (error) => error instanceof DataError || error instanceof MissingBlockError,
    )
})

test('[FORGERY] a byte swapped in any block is refused, in the order of a stream and in any other', async () => {
  const { head, sent } = repoOf(25)
  for (const [index, block] of sent.entries())
    for (const at of [0, 1, block.bytes.length >> 1, block.bytes.length - 1]) {
      const bytes = block.bytes.slice()
      bytes[at]! ^= 0x01
      const forged = sent.with(index, { cid: block.cid, bytes })
      await assert.rejects(recordsOf([writeCar([head], forged)]), code('InvalidBlock'))
      await assert.rejects(recordsOf([writeCar([head], forged.toReversed())]), code('InvalidBlock'))
    }
})

test('what is no CAR file, not expected, or no repository is refused by name', async () => {
  const { head, sent } = repoOf(10)
  const file = writeCar([head], sent)
  const other = generateKeypair('k256').publicKey
  await assert.rejects(recordsOf([file], { did: 'did:plc:aaaaaaaaaaaaaaaaaaaaaaaa' }), code('InvalidCommit'))
  await assert.rejects(recordsOf([file], { key: other }), code('InvalidSignature'))
  await assert.rejects(recordsOf([writeCar([], sent)]), code('InvalidCommit'))
  const raw = { cid: cidOfRaw(sent[0]!.bytes), bytes: sent[0]!.bytes }
  await assert.rejects(recordsOf([writeCar([raw.cid], [raw, ...sent])]), code('InvalidBlock'))
  const limits = [{ maxBytes: 100 }, { maxBlocks: 3 }, { maxBlockBytes: 20 }, { maxHeaderBytes: 5 }]
  for (const limit of limits)
    await assert.rejects(
      recordsOf([file], { limits: limit }),
      (error) => error instanceof DataError && error.code === 'LimitExceeded',
      JSON.stringify(limit),
    )
  const overlong = concatBytes([file, Uint8Array.of(0x80, 0x00)])
  await assert.rejects(recordsOf([overlong]), /minimal/)
  await assert.rejects(recordsOf([concatBytes([file, Uint8Array.of(3, 1, 2, 3)])]), /begin with a CID/)
  const tree = Mst.from([['no-nsid/a', recordOf(1).cid]])
  const signed = signCommit({ did, data: tree.root, rev }, keypair)
  const wrong = writeCar([signed.cid], [signed, ...tree.nodes(), recordOf(1)])
  await assert.rejects(recordsOf([wrong]), code('InvalidKey'))
})

test('the source is ended by whoever leaves, at whatever point', async () => {
  const { head, sent } = repoOf(30)
  const file = writeCar([head], sent)
  let ended = 0
  async function* source(bytes: Uint8Array) {
    try {
      yield* inChunks(bytes, 300)
      await new Promise(() => {})
    } finally {
      ended++
    }
  }
  const { records } = await verifyRepoStream(source(file))
  for await (const _batch of records) break
  assert.equal(ended, 1)
  const unread = await verifyRepoStream(source(file))
  await unread.records.return()
  assert.equal(ended, 2)
  const damaged = file.with(file.indexOf(0xa2, 70), 0)
  await assert.rejects(recordsOf(source(damaged)))
  assert.equal(ended, 3)
})
