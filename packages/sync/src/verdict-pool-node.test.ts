import assert from 'node:assert/strict'
import test from 'node:test'
import { generateKeypair } from '@imago/crypto'
import { encodeFrame } from '@imago/xrpc/frames'
import { judgeFrame } from './judge-frame.ts'
import { openVerdictPool } from './node.ts'
import { Author, commitBody, create, nowMs, sample } from './sample-events.fixture.ts'
import { type FrameToJudge, packFrames, packVerdicts, unpackFrames, unpackVerdicts } from './verdict-batch.ts'
import type { CommitContext } from './verify-commit.ts'

/** Frames of every fate, and the verdicts that this thread comes to. */
function frames() {
  const { author, context, result } = sample()
  const frame = encodeFrame('#commit', commitBody(result))
  const signingKey = author.keypair.publicKey
  const other = generateKeypair('k256').publicKey
  const first = new Author().write()
  const rows: [frame: Uint8Array, context: CommitContext][] = [
    [frame, context],
    [frame, { ...context, account: undefined }],
    [frame, { ...context, signingKey: other }],
    [frame, { ...context, signingKey: undefined }],
    [frame, { ...context, pdsHost: 'a.example', senderHost: 'b.example' }],
    [frame, { ...context, account: { status: 'takendown' } }],
    [frame, { ...context, account: { status: 'active', head: author.head! } }],
    [
      frame,
      { ...context, account: { status: 'active', head: { data: first.tree.root, rev: '2222222222222' } } },
    ],
    [encodeFrame('#commit', commitBody(result, { prevData: result.tree.root })), context],
    [encodeFrame('#commit', { seq: 1 }), context],
    [
      encodeFrame('#sync', {
        seq: 1,
        did: 'did:plc:x',
        rev: 'x',
        blocks: frame,
        time: '2026-01-01T00:00:00Z',
      }),
      context,
    ],
    [encodeFrame('#identity', { seq: 1 }), context],
    [frame.subarray(0, 40), context],
  ]
  return rows.map(([bytes, { signingKey: key, ...rest }]) => ({
    item: { ...rest, frame: bytes, signingKey: key?.didKey } satisfies FrameToJudge,
    expected: judgeFrame(bytes, { ...rest, signingKey: key && (key === other ? other : signingKey) }),
  }))
}

test('a pool comes to the verdicts that one thread comes to, whatever becomes of a frame', async () => {
  await using pool = openVerdictPool({ workers: 2 })
  const rows = frames()
  assert.ok(new Set(rows.map(({ expected }) => expected.outcome)).size >= 5)
  const again = [...rows, ...rows, ...rows, ...rows, ...rows, ...rows]
  const verdicts = Promise.all(again.map(({ item }) => pool.judge(item)))
  assert.equal(pool.pending, again.length)
  assert.deepEqual(
    await verdicts,
    again.map(({ expected }) => expected),
  )
  assert.equal(pool.pending, 0)
})

test('frames stay the caller’s', async () => {
  await using pool = openVerdictPool({ workers: 1 })
  const { item } = frames()[0]!
  const before = item.frame.slice()
  await pool.judge(item)
  assert.deepEqual(item.frame, before)
})

test('a pool that is closed says so, to those who wait and to those who come', async () => {
  const pool = openVerdictPool({ workers: 1 })
  const { item } = frames()[0]!
  const waiting = assert.rejects(pool.judge(item), /closed/)
  await pool[Symbol.asyncDispose]()
  await waiting
  await assert.rejects(pool.judge(item), /closed/)
  assert.equal(pool.pending, 0)
})

test('batches come back as they were packed', () => {
  const rows = frames()
  const items = rows.map(({ item }) => item)
  assert.deepEqual(unpackFrames(packFrames(items)), items)
  const verdicts = rows.map(({ expected }) => expected)
  assert.deepEqual(unpackVerdicts(packVerdicts(verdicts)), verdicts)
  const author = new Author()
  const bad = { ...author.write(create('a', 1)) }
  const { nowMs: _, ...context } = author.context()
  const found = judgeFrame(encodeFrame('#commit', commitBody(bad)), { ...context, nowMs })
  assert.deepEqual(unpackVerdicts(packVerdicts([found])), [found])
})
