import assert from 'node:assert/strict'
import test from 'node:test'
import { cidOfDrisl, parseCid, RECORD_LIMITS, type Value, writeCar } from '@imago/data'
import { signCommit } from '@imago/repo'
import { commitEvent, did, post, recordOf, sample } from './sample-events.fixture.ts'
import {
  type CommitVerdict,
  MAX_COMMIT_BLOCKS_BYTES,
  MAX_RECORD_BYTES,
  verifyCommit,
} from './verify-commit.ts'

// Where a check ends: what lies right on the limit, and what differs from a fault as little as can be.

function assertRefusedAt(check: number, verdict: CommitVerdict, reason: RegExp): void {
  assert.ok(!verdict.accepted, 'accepted')
  assert.equal(verdict.check, check, verdict.reason)
  assert.match(verdict.reason, reason)
}

test('[SYNC-2] neither a host above the account’s PDS nor one below it speaks for it', () => {
  const { context, result } = sample()
  for (const [pdsHost, senderHost] of [
    ['a.pds.test', 'pds.test'],
    ['pds.test', 'a.pds.test'],
  ] as const)
    assertRefusedAt(2, verifyCommit(commitEvent(result), { ...context, pdsHost, senderHost }), /sent by/)
})

test('[SYNC-4] as many bytes of blocks as are allowed are no fault of size', () => {
  const { context, result } = sample()
  const blocks = new Uint8Array(MAX_COMMIT_BLOCKS_BYTES)
  assertRefusedAt(7, verifyCommit(commitEvent(result, { blocks }), context), /CAR/)
})

test('[SYNC-4] a record of exactly the allowed size is accepted', () => {
  const { author } = sample()
  const context = author.context()
  const ofLength = (length: number) => recordOf({ $type: 'app.bsky.feed.post', text: 'x'.repeat(length) })
  const overhead = ofLength(900_000).bytes.length - 900_000
  const block = ofLength(MAX_RECORD_BYTES - overhead)
  assert.equal(block.bytes.length, MAX_RECORD_BYTES)
  const result = author.write({ action: 'create', path: 'app.bsky.feed.post/large', block })
  assert.ok(verifyCommit(commitEvent(result), context).accepted)
})

test('[SYNC-5] thirteen characters are not yet a TID', () => {
  const { context, result } = sample()
  for (const rev of ['zzzzzzzzzzzzz', '0000000000000', '3JZFCIJPJ2Z2A', '3jzfcijpj2z21'])
    assertRefusedAt(5, verifyCommit(commitEvent(result, { rev }), context), /is not a TID/)
})

test('[SYNC-8] a commit about an account whose DID is as long', () => {
  const { author, context, result } = sample()
  const other = `did:plc:${'z'.repeat(24)}` as const
  assert.equal(other.length, did.length)
  const { data, rev } = result.signed.commit
  const { cid, bytes } = signCommit({ did: other, data, rev }, author.keypair)
  const blocks = writeCar([cid], [{ cid, bytes }, ...[...result.frameBlocks].slice(1)])
  assertRefusedAt(
    8,
    verifyCommit(commitEvent(result, { commit: cid, blocks }), context),
    /the commit is about/,
  )
})

test('[SYNC-11] a path that is deleted twice, and an update that changes nothing', () => {
  const { context, result } = sample()
  const asOps = (ops: readonly { [field: string]: Value }[]) =>
    verifyCommit(commitEvent(result, { ops: ops as Value[] }), context)
  const prev = post(2).cid
  const twice = { action: 'delete', path: 'app.bsky.feed.post/k2', cid: null, prev }
  assertRefusedAt(11, asOps([twice, { ...twice }]), /two operations/)
  // Equal, and not the same object: as they come out of a frame.
  const again = parseCid(prev.toString())
  assertRefusedAt(
    11,
    asOps([{ action: 'update', path: 'app.bsky.feed.post/k2', cid: prev, prev: again }]),
    /changes nothing/,
  )
})

test('[SYNC-13] a record nested deeper than records may be is told, and is no fault', () => {
  for (const levels of [RECORD_LIMITS.maxDepth, RECORD_LIMITS.maxDepth + 1]) {
    const { author } = sample()
    const context = author.context()
    let value: Value = {}
    for (let level = 1; level < levels; level++) value = { in: value }
    const block = recordOf(value)
    assert.ok(block.cid.equals(cidOfDrisl(block.bytes)))
    const result = author.write({ action: 'create', path: 'app.bsky.feed.post/deep', block })
    const verdict = verifyCommit(commitEvent(result), context)
    assert.ok(verdict.accepted)
    const expected = levels > RECORD_LIMITS.maxDepth ? [13] : []
    assert.deepEqual(
      verdict.findings.map(({ check }) => check),
      expected,
    )
  }
})
