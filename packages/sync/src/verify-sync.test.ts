import assert from 'node:assert/strict'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import { type Value, writeCar } from '@imago/data'
import { encodeFrame } from '@imago/xrpc/frames'
import { judgeFrame } from './judge-frame.ts'
import { post, revOf, sample, syncEvent } from './sample-events.fixture.ts'
import { verifySync } from './verify-sync.ts'

test('a #sync that moves a repository, to a follower who knows less and to one who knows nothing', () => {
  const { context, result } = sample()
  for (const account of [context.account, undefined]) {
    const verdict = verifySync(syncEvent(result), { ...context, account })
    assert.ok(verdict.accepted && verdict.outcome === 'moved')
    assert.deepEqual(verdict.state, { data: result.tree.root, rev: result.signed.commit.rev })
  }
})

test('a frame with a #sync gets the verdict of its event, and begins no repository', () => {
  const { context, result } = sample()
  const verdict = judgeFrame(encodeFrame('#sync', { ...syncEvent(result) }), context)
  assert.ok(verdict.accepted)
  assert.equal(verdict.outcome, 'moved')
  assert.equal(verdict.genesis, false)
  assert.deepEqual(verdict.findings, [])
})

test('a #sync that says what is known changes nothing', () => {
  const { author, result } = sample()
  const verdict = verifySync(syncEvent(result), author.context())
  assert.ok(verdict.accepted && verdict.outcome === 'unchanged')
})

test('a new rev over the same tree moves the repository', () => {
  const { author } = sample()
  const context = author.context()
  const verdict = verifySync(syncEvent(author.write()), context)
  assert.ok(verdict.accepted && verdict.outcome === 'moved')
})

test('a #sync that is older, or contradicts the known rev, is stale: it rolls nothing back', () => {
  const { context, result } = sample()
  for (const head of [
    { data: post(1).cid, rev: revOf(50) },
    { data: post(1).cid, rev: result.signed.commit.rev },
  ]) {
    const verdict = verifySync(syncEvent(result), { ...context, account: { status: 'active', head } })
    assert.ok(!verdict.accepted && verdict.outcome === 'stale' && verdict.check === 6)
  }
})

test('a #sync is refused by the checks that it shares with commits', () => {
  const { context, result } = sample()
  const { signed, frameBlocks } = result
  const rows: [check: number, changes: { [field: string]: Value }, context?: object][] = [
    [1, { did: 'alice.test' }],
    [2, {}, { pdsHost: 'a.test', senderHost: 'b.test' }],
    [3, {}, { account: { status: 'takendown' } }],
    [4, { blocks: new Uint8Array(0) }],
    [4, { blocks: new Uint8Array(10_001) }],
    [5, { rev: 'x' }],
    [7, { blocks: writeCar([signed.cid], []) }],
    [7, { blocks: writeCar([signed.cid], frameBlocks) }],
    [8, { rev: revOf(70) }],
    [8, { blocks: writeCar([post(1).cid], [post(1)]) }],
    [9, {}, { signingKey: generateKeypair('k256').publicKey }],
    [10, {}, { signingKey: undefined }],
  ]
  for (const [check, changes, known] of rows) {
    const verdict = verifySync(syncEvent(result, changes), { ...context, ...known })
    assert.ok(!verdict.accepted)
    assert.equal(verdict.check, check, verdict.reason)
    assert.equal(verdict.outcome, 'refused')
  }
})
