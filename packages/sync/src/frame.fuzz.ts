import assert from 'node:assert/strict'
import { importKeypair } from '@imago/crypto'
import { BlockMap, type Cid, cidOfDrisl, encode, writeCar } from '@imago/data'
import { toHex } from '@imago/data/multibase'
import { type RepoHead, type RepoWrite, writeCommit } from '@imago/repo'
import type { FuzzTarget } from '@imago/sim/fuzz'
import type { Did } from '@imago/syntax'
import { tidFromMicros } from '@imago/syntax'
import { decodeFrame, encodeFrame } from '@imago/xrpc/frames'
import { type FrameVerdict, judgeFrame } from './judge-frame.ts'
import { spliceSeq } from './splice-seq.ts'
import { SyncError } from './sync-error.ts'
import { packVerdicts, unpackVerdicts } from './verdict-batch.ts'
import type { CommitContext } from './verify-commit.ts'

const did: Did = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'
const nowMs = Date.UTC(2026, 0, 1)
const time = '2026-01-01T00:00:00.000Z'
const keypair = importKeypair('k256', new Uint8Array(32).fill(7))

const source = new BlockMap()
let head: RepoHead | null = null
const commit = (n: number, writes: readonly RepoWrite[]) => {
  const rev = tidFromMicros((nowMs - 3_600_000) * 1000 + n, 7)
  const result = writeCommit({ did, source, head, writes, rev, keypair })
  source.addAll(result.newBlocks)
  head = { data: result.tree.root, rev }
  return result
}
const blockOf = (n: number) => {
  const bytes = encode({ $type: 'app.bsky.feed.post', text: `post ${n}` })
  return { cid: cidOfDrisl(bytes), bytes }
}
const write = (action: 'create' | 'update', n: number): RepoWrite => ({
  action,
  path: `app.bsky.feed.post/k${n % 40}`,
  block: blockOf(n),
})
commit(
  1,
  Array.from({ length: 40 }, (_, n) => write('create', n)),
)
const known = head!
const next = commit(2, [
  write('update', 41),
  { action: 'delete', path: 'app.bsky.feed.post/k2' },
  { ...write('create', 3), path: 'app.bsky.feed.post/new' } as RepoWrite,
])
const { signed, since, prevData, ops, frameBlocks } = next
const body = {
  seq: 1000,
  repo: did,
  commit: signed.cid,
  rev: signed.commit.rev,
  since,
  prevData: prevData!,
  blocks: writeCar([signed.cid], frameBlocks),
  ops: ops.map(({ action, path, cid, prev }) => ({ action, path, cid, ...(prev && { prev }) })),
  blobs: [] as Cid[],
  tooBig: false,
  rebase: false,
  time,
}

const contexts: readonly CommitContext[] = [
  { account: { status: 'active', head: known }, signingKey: keypair.publicKey, nowMs },
  { account: undefined, signingKey: keypair.publicKey, nowMs },
]

/** Every frame gets a verdict; what is accepted moves the repository to where its signed commit says. */
export const target: FuzzTarget = {
  name: 'frame',
  dictionary: ['seq', 'prevData', 'blocks', 'ops', 'create', 'update', 'delete', '#commit', '#sync'],
  seeds: () => [
    encodeFrame('#commit', body),
    encodeFrame('#commit', { ...body, ops: [] }),
    encodeFrame('#sync', {
      seq: 3,
      did,
      rev: signed.commit.rev,
      blocks: writeCar([signed.cid], [signed]),
      time,
    }),
    encodeFrame('#identity', { seq: 4, did, time, handle: 'alice.test' }),
    encodeFrame('#account', { seq: 5, did, time, active: false, status: 'deleted' }),
    encodeFrame('#info', { name: 'OutdatedCursor' }),
  ],
  run(input) {
    for (const context of contexts) {
      const verdict = judgeFrame(input, context)
      assert.deepEqual(unpackVerdicts(packVerdicts([verdict])), [verdict])
      if (verdict.accepted) checkAccepted(verdict)
    }
    checkSplice(input)
  },
}

function checkAccepted({ state, cid }: Extract<FrameVerdict, { accepted: true }>): void {
  // There is one signature in all seeds.
  assert.ok(cid.equals(signed.cid))
  assert.ok(state.data.equals(signed.commit.data))
  assert.equal(state.rev, signed.commit.rev)
}

function checkSplice(input: Uint8Array): void {
  let spliced: Uint8Array
  try {
    spliced = spliceSeq(input, 70_000)
  } catch (error) {
    assert.ok(error instanceof SyncError, String(error))
    return
  }
  assert.equal(toHex(spliceSeq(spliced, 70_000)), toHex(spliced))
  try {
    decodeFrame(input)
  } catch {
    return
  }
  const frame = decodeFrame(spliced)
  assert.ok(frame.kind !== 'message' || frame.body['seq'] === 70_000)
}
