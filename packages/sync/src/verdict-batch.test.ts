import assert from 'node:assert/strict'
import test from 'node:test'
import { finding } from './checks.ts'
import type { FrameVerdict } from './judge-frame.ts'
import { post, revOf, sample } from './sample-events.fixture.ts'
import { type FrameToJudge, packFrames, packVerdicts, unpackFrames, unpackVerdicts } from './verdict-batch.ts'

const nowMs = Date.UTC(2026, 0, 1)

test('frames come through with all that they are judged against', () => {
  const { context } = sample()
  const head = { data: post(1).cid, rev: revOf(3) }
  const signingKey = context.signingKey!.didKey
  const frames: FrameToJudge[] = [
    { frame: Uint8Array.of(1, 2, 3), account: undefined, signingKey: undefined, nowMs },
    { frame: new Uint8Array(), account: { status: 'deactivated' }, signingKey, nowMs, decodeRecords: true },
    {
      frame: new Uint8Array(50).fill(9),
      account: { status: 'active', head },
      signingKey,
      nowMs,
      decodeRecords: false,
    },
    {
      frame: Uint8Array.of(4),
      account: undefined,
      signingKey,
      nowMs,
      pdsHost: 'a.test',
      senderHost: 'b.test',
    },
  ]
  assert.deepEqual(unpackFrames(packFrames(frames)), frames)
})

test('verdicts come through, whatever they are', () => {
  const state = { data: post(2).cid, rev: revOf(4) }
  const accepted = { accepted: true, findings: [], cid: post(3).cid, state } as const
  const findings = [finding(13, 'a record'), finding(16, 'a gap')]
  const verdicts: FrameVerdict[] = [
    { ...accepted, outcome: 'accepted', genesis: true },
    { ...accepted, outcome: 'discontinuous', genesis: false, findings },
    { accepted: false, outcome: 'malformed', reason: 'no frame' },
    { accepted: false, outcome: 'stale', ...finding(6, 'seen') },
    { accepted: false, outcome: 'refused', ...finding(15, 'missing'), missing: post(4).cid },
    { ...accepted, outcome: 'moved', genesis: false },
  ]
  assert.deepEqual(unpackVerdicts(packVerdicts(verdicts)), verdicts)
})
