import assert from 'node:assert/strict'
import test from 'node:test'
import { BlockMap, cidOfDrisl, decode, encode, type Value, writeCar } from '@imago/data'
import { Mst, parseCommit, verifyCommitSignature } from '@imago/repo'
import { createRandom } from '@imago/sim/random'
import { decodeFrame, encodeErrorFrame, encodeFrame } from '@imago/xrpc/frames'
import { parseCommitEvent, parseEvent } from './events.ts'
import { judgeFrame } from './judge-frame.ts'
import {
  Author,
  commitBody,
  commitEvent,
  create,
  did,
  post,
  remove,
  revOf,
  sample,
  syncEvent,
  update,
} from './sample-events.fixture.ts'
import { spliceSeq } from './splice-seq.ts'
import { SyncError } from './sync-error.ts'
import { verifyCommit } from './verify-commit.ts'
import { verifySync } from './verify-sync.ts'

// What implementations have got wrong, each once. Traps 22 to 24 stand beside the tree, in mined-keys.test.ts, as well.

test('[trap 16] an old #sync rolls nothing back, and one that says what is known asks for nothing', () => {
  const { author, context, result } = sample()
  const after = author.context()
  assert.equal(verifySync(syncEvent(result), after).outcome, 'unchanged')
  author.write(create('later', 7))
  assert.equal(verifySync(syncEvent(result), author.context()).outcome, 'stale')
  assert.equal(verifySync(syncEvent(result), context).outcome, 'moved')
})

test('[trap 17] an old rev is stale, which is no fault; a gap is accepted and told', () => {
  const { author, context, result } = sample()
  const stale = verifyCommit(commitEvent(result), author.context())
  assert.deepEqual([stale.accepted, stale.outcome], [false, 'stale'])
  const missed = { ...context, account: { status: 'active', head: { data: post(1).cid, rev: revOf(0) } } }
  assert.equal(verifyCommit(commitEvent(result), missed).outcome, 'discontinuous')
})

test('[trap 18] prev stays null in the bytes that are signed: without the field the signature fails', () => {
  const { author, result } = sample()
  const { bytes } = result.signed
  assert.ok(verifyCommitSignature(bytes, author.keypair.publicKey))
  const { sig, ...unsigned } = decode(bytes) as { [field: string]: Value }
  const { prev, ...without } = unsigned
  assert.equal(prev, null)
  assert.ok(author.keypair.publicKey.verify(encode(unsigned), sig as Uint8Array))
  assert.ok(!author.keypair.publicKey.verify(encode(without), sig as Uint8Array))
  assert.throws(() => parseCommit(encode({ ...without, sig: sig! })), /prev missing/)
})

test('[trap 19] the other signature of the same commit, with a high s, and DER are refused', () => {
  const { author, context, result } = sample()
  const order = 0xffff_ffff_ffff_ffff_ffff_ffff_ffff_fffe_baae_dce6_af48_a03b_bfd2_5e8c_d036_4141n
  const { sig, ...rest } = result.signed.commit
  const s = BigInt(`0x${Buffer.from(sig.subarray(32)).toString('hex')}`)
  const high = Uint8Array.from([
    ...sig.subarray(0, 32),
    ...Buffer.from((order - s).toString(16).padStart(64, '0'), 'hex'),
  ])
  const integer = (bytes: Uint8Array) => [0x02, 33, 0, ...bytes]
  const der = Uint8Array.from([0x30, 70, ...integer(sig.subarray(0, 32)), ...integer(sig.subarray(32))])
  for (const [forged, check] of [
    [high, 9],
    [der, 8],
  ] as const) {
    const bytes = encode({ ...rest, sig: forged })
    const cid = cidOfDrisl(bytes)
    const blocks = writeCar([cid], new BlockMap(result.frameBlocks).set(cid, bytes))
    const verdict = verifyCommit({ ...commitEvent(result), commit: cid, blocks }, context)
    assert.deepEqual([verdict.accepted, !verdict.accepted && verdict.check], [false, check])
  }
  assert.ok(verifyCommitSignature(result.signed.bytes, author.keypair.publicKey))
})

test('[trap 20] the verdict does not depend on the order in which operations are told', () => {
  const { context, result } = sample()
  const random = createRandom(20)
  for (let i = 0; i < 12; i++)
    assert.equal(
      verifyCommit({ ...commitEvent(result), ops: random.shuffle(commitEvent(result).ops) }, context).outcome,
      'accepted',
    )
})

test('[trap 21] paths are ordered by their bytes: capitals before small letters, whatever a locale says', () => {
  const author = new Author()
  const rkeys = ['a', 'B', 'b', 'A', '_', '~', '0', '9', ':x', '-']
  const result = author.write(...rkeys.map((rkey, n) => create(rkey, n)))
  const keys = [...result.tree.entries()].map(([key]) => key)
  assert.deepEqual(
    keys,
    keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
  )
  const { account, ...context } = new Author().context()
  const verdict = verifyCommit(commitEvent(result), {
    ...context,
    account,
    signingKey: author.keypair.publicKey,
  })
  assert.equal(verdict.outcome, 'accepted')
})

test('[trap 22] one proof does for operations that were made in any order', () => {
  const random = createRandom(22)
  for (let i = 0; i < 8; i++) {
    const author = new Author()
    author.write(...Array.from({ length: 50 }, (_, n) => create(`k${n}`, n)))
    const context = author.context()
    const writes = [
      ...random
        .shuffle(Array.from({ length: 50 }, (_, n) => n))
        .slice(0, 6)
        .map((n) => remove(`k${n}`)),
      ...[1, 2, 3].map((n) => create(`new${random.int(1e6)}${n}`, n)),
    ]
    assert.equal(
      verifyCommit(commitEvent(author.write(...random.shuffle(writes))), context).outcome,
      'accepted',
    )
  }
})

test('[trap 23] an incomplete proof is told from a false one', () => {
  const { context, result } = sample()
  const isNode = (bytes: Uint8Array) => bytes[0] === 0xa2 && bytes[2] === 0x65
  const outcomes = [...result.frameBlocks]
    .filter(({ bytes }) => isNode(bytes))
    .map(({ cid }) => {
      const blocks = [...result.frameBlocks].filter((block) => !block.cid.equals(cid))
      const verdict = verifyCommit(
        { ...commitEvent(result), blocks: writeCar([result.signed.cid], blocks) },
        context,
      )
      if (!verdict.accepted) assert.ok(verdict.missing?.equals(cid))
      return verdict.accepted
    })
  assert.ok(outcomes.includes(false))
  const other = verifyCommit(commitEvent(result, { prevData: result.tree.root }), context)
  assert.ok(!other.accepted && other.check === 15 && other.missing === undefined)
})

test('[trap 25] the tree without records has a root of its own, and undoing the first commit comes to it', () => {
  const author = new Author()
  author.write(create('only', 1))
  const context = author.context()
  const emptied = author.write(remove('only'))
  assert.equal(String(emptied.tree.root), 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm')
  assert.equal(verifyCommit(commitEvent(emptied), context).outcome, 'accepted')
  const next = author.context()
  assert.equal(verifyCommit(commitEvent(author.write(create('again', 1))), next).outcome, 'accepted')
})

test('[trap 26] what is written and taken back within a commit is no operation; two on one path are refused', () => {
  const author = new Author()
  author.write(create('a', 1))
  const context = author.context()
  const result = author.write(create('b', 2), update('b', 3), remove('b'), update('a', 4), update('a', 5))
  assert.deepEqual(
    result.ops.map(({ action, path }) => `${action} ${path}`),
    ['update app.bsky.feed.post/a'],
  )
  const event = commitEvent(result)
  assert.equal(verifyCommit(event, context).outcome, 'accepted')
  const twice = verifyCommit({ ...event, ops: [...event.ops, ...event.ops] }, context)
  assert.ok(!twice.accepted && twice.check === 11)
})

test('[trap 27] a block under the CID of another, and a frame about another commit than its CAR’s, are refused', () => {
  const { context, result } = sample()
  for (const [index, { cid, bytes }] of [...result.frameBlocks].entries()) {
    const forged = bytes.slice()
    forged[forged.length - 1]! ^= 0x01
    const blocks = writeCar([result.signed.cid], [...result.frameBlocks].with(index, { cid, bytes: forged }))
    const verdict = verifyCommit({ ...commitEvent(result), blocks }, context)
    assert.ok(!verdict.accepted && verdict.check === 7, `block ${index}`)
  }
  const verdict = verifyCommit(commitEvent(result, { commit: post(1).cid }), context)
  assert.ok(!verdict.accepted && verdict.check === 7)
})

test('[trap 28] of several roots the first is the commit', () => {
  const { context, result } = sample()
  const car = (...roots: Parameters<typeof writeCar>[0]) =>
    commitEvent(result, { blocks: writeCar(roots, result.frameBlocks) })
  assert.equal(verifyCommit(car(result.signed.cid, post(1).cid), context).outcome, 'accepted')
  const swapped = verifyCommit(car(result.tree.root, result.signed.cid), context)
  assert.ok(!swapped.accepted && swapped.check === 7)
})

test('[trap 29] blocks that no operation refers to are no records; a record that lacks is refused, not half told', () => {
  const { context, result } = sample()
  const extra = post(12345)
  const more = new BlockMap(result.frameBlocks).set(extra.cid, extra.bytes)
  const verdict = verifyCommit(commitEvent(result, { blocks: writeCar([result.signed.cid], more) }), context)
  assert.ok(verdict.accepted && verdict.ops.every(({ cid }) => !cid?.equals(extra.cid)))
  for (const { cid } of result.ops.filter((op) => op.cid !== null)) {
    const less = [...result.frameBlocks].filter((block) => !block.cid.equals(cid!))
    const missing = verifyCommit(
      commitEvent(result, { blocks: writeCar([result.signed.cid], less) }),
      context,
    )
    assert.ok(!missing.accepted && missing.check === 12 && missing.missing?.equals(cid!))
  }
})

test('[trap 30] renumbering a frame keeps fields that nobody knows, prev, and the null of a deletion', () => {
  const { context, result } = sample()
  const body = commitBody(result, { later: { some: ['thing', null] } })
  for (const seq of [1, 23, 24, 255, 256, 70_000, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
    const spliced = spliceSeq(encodeFrame('#commit', body), seq)
    const frame = decodeFrame(spliced)
    assert.ok(frame.kind === 'message')
    assert.deepEqual(encode(frame.body), encode({ ...body, seq }))
    assert.equal(judgeFrame(spliced, context).outcome, 'accepted')
  }
})

test('[trap 31] tooBig, rebase and blobs are required for ever, though they say nothing', () => {
  const { result } = sample()
  for (const field of ['tooBig', 'rebase', 'blobs']) {
    const { [field]: _, ...body } = commitBody(result)
    assert.throws(() => parseCommitEvent(body), SyncError, field)
  }
})

test('[trap 32] an error frame has no type, and a type that is not known ends nothing', () => {
  assert.equal(decodeFrame(encodeErrorFrame('FutureCursor', 'too far')).kind, 'error')
  const frame = decodeFrame(encodeFrame('#later' as '#commit', { seq: 1 }))
  assert.ok(frame.kind === 'message' && parseEvent(frame.type, frame.body) === undefined)
})

test('[FORGERY] a byte swapped at any place of a frame is refused, or leaves what was signed as it was', () => {
  const { context, result } = sample()
  const frame = encodeFrame('#commit', commitBody(result))
  for (let at = 0; at < frame.length; at += 5) {
    const forged = frame.slice()
    forged[at]! ^= 0x01
    const verdict = judgeFrame(forged, context)
    if (!verdict.accepted) continue
    // Fields that no signature covers: seq, time, and since, which then is a gap.
    assert.ok(verdict.cid.equals(result.signed.cid) && verdict.state.data.equals(result.tree.root))
  }
  assert.ok(Mst.open(result.frameBlocks, result.tree.root).root.equals(result.signed.commit.data))
  assert.equal(did, result.signed.commit.did)
})
