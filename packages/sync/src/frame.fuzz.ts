import assert from 'node:assert/strict'
import { importKeypair, PublicKey } from '@imago/crypto'
import { BlockMap, cidOfDrisl, type DataMap, encode, equalBytes, writeCar } from '@imago/data'
import { type CommitResult, type RepoHead, type RepoWrite, writeCommit } from '@imago/repo'
import { type FuzzTarget, isSampled } from '@imago/sim/fuzz'
import type { Did } from '@imago/syntax'
import { tidFromMicros } from '@imago/syntax'
import { decodeFrame, encodeFrame } from '@imago/xrpc/frames'
import { type FrameVerdict, judgeFrame } from './judge-frame.ts'
import { spliceSeq } from './splice-seq.ts'
import { SyncError } from './sync-error.ts'
import { packVerdicts, unpackVerdicts } from './verdict-batch.ts'
import type { CommitContext } from './verify-commit.ts'

const ONE_IN_FOR_TRANSPORT = 8
const ONE_IN_FOR_SIGNATURE = 32

export const did: Did = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'
export const nowMs = Date.UTC(2026, 0, 1)
const time = '2026-01-01T00:00:00.000Z'
export const keypair = importKeypair('k256', new Uint8Array(32).fill(7))

/** A key under which every signature is good: checking one takes longer than all the rest of a verdict. */
class TrustingKey extends PublicKey {
  override verify(): boolean {
    return true
  }
}
export const trustingKey = new TrustingKey('k256', keypair.publicKey.bytes)

/** All blocks of the repository. */
export const source = new BlockMap()

/** The commit that `writes` make of the repository. */
export function commit(head: RepoHead | null, n: number, writes: readonly RepoWrite[]): CommitResult {
  const rev = tidFromMicros((nowMs - 3_600_000) * 1000 + n, 7)
  const result = writeCommit({ did, source, head, writes, rev, keypair })
  source.addAll(result.newBlocks)
  return result
}

const pathOf = (n: number) => `app.bsky.feed.post/k${n}`
export const put = (action: 'create' | 'update', n: number, text = `post ${n}`): RepoWrite => {
  const bytes = encode({ $type: 'app.bsky.feed.post', text })
  return { action, path: pathOf(n), block: { cid: cidOfDrisl(bytes), bytes } }
}
export const remove = (n: number): RepoWrite => ({ action: 'delete', path: pathOf(n) })

const POSTS = 16
const first = commit(
  null,
  1,
  Array.from({ length: POSTS }, (_, n) => put('create', n)),
)
/** Where the repository stands as far as we know, and what it holds there. */
export const known: RepoHead = { data: first.tree.root, rev: first.signed.commit.rev }
export const knownEntries = new Map(first.tree.entries())

/** The event of a commit, but for its blocks. */
export const eventOf = ({ signed, since, prevData, ops }: CommitResult): DataMap => ({
  seq: 1000,
  repo: did,
  commit: signed.cid,
  rev: signed.commit.rev,
  since,
  ...(prevData && { prevData }),
  ops: ops.map(({ action, path, cid, prev }) => ({ action, path, cid, ...(prev && { prev }) })),
  blobs: [],
  tooBig: false,
  rebase: false,
  time,
})
export const syncEventOf = ({ signed }: CommitResult): DataMap => ({
  seq: 3,
  did,
  rev: signed.commit.rev,
  time,
})

const next = commit(known, 2, [put('update', 1, 'edited'), remove(2), put('create', 41)])
const event = { ...eventOf(next), blocks: writeCar([next.signed.cid], next.frameBlocks) }

/** The second one for every other input. */
const contexts: readonly CommitContext[] = [
  { account: { status: 'active', head: known }, signingKey: trustingKey, nowMs },
  { account: undefined, signingKey: trustingKey, nowMs },
]

/** Every frame gets a verdict; what is accepted moves the repository to where its signed commit says. */
export const target: FuzzTarget = {
  name: 'frame',
  dictionary: ['seq', 'prevData', 'blocks', 'ops', 'create', 'update', 'delete', '#commit', '#sync'],
  seeds: () => [
    encodeFrame('#commit', event),
    encodeFrame('#commit', { ...event, ops: [] }),
    encodeFrame('#sync', { ...syncEventOf(next), blocks: writeCar([next.signed.cid], [next.signed]) }),
    encodeFrame('#identity', { seq: 4, did, time, handle: 'alice.test' }),
    encodeFrame('#account', { seq: 5, did, time, active: false, status: 'deleted' }),
    encodeFrame('#info', { name: 'OutdatedCursor' }),
  ],
  run(input) {
    const context = contexts[isSampled(input, contexts.length) ? 1 : 0]!
    const verdict = judgeFrame(input, context)
    if (isSampled(input, ONE_IN_FOR_TRANSPORT)) checkTransport(verdict)
    if (verdict.accepted) {
      checkAccepted(verdict)
      if (isSampled(input, ONE_IN_FOR_SIGNATURE))
        assert.deepEqual(judgeFrame(input, { ...context, signingKey: keypair.publicKey }), verdict)
    }
    checkSplice(input)
  },
}

/** A verdict comes through between threads as it is. */
export function checkTransport(verdict: FrameVerdict): void {
  assert.deepEqual(unpackVerdicts(packVerdicts([verdict])), [verdict])
}

function checkAccepted({ state, cid }: Extract<FrameVerdict, { accepted: true }>): void {
  // No change of a commit survives its hash, and there is one in all seeds.
  assert.ok(cid.equals(next.signed.cid))
  assert.ok(state.data.equals(next.signed.commit.data))
  assert.equal(state.rev, next.signed.commit.rev)
}

function checkSplice(input: Uint8Array): void {
  let spliced: Uint8Array
  try {
    spliced = spliceSeq(input, 70_000)
  } catch (error) {
    assert.ok(error instanceof SyncError, String(error))
    return
  }
  assert.ok(equalBytes(spliceSeq(spliced, 70_000), spliced))
  try {
    decodeFrame(input)
  } catch {
    return
  }
  const frame = decodeFrame(spliced)
  assert.ok(frame.kind !== 'message' || frame.body['seq'] === 70_000)
}
