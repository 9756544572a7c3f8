import assert from 'node:assert/strict'
import {
  type Cid,
  cidOfDrisl,
  DataError,
  type DataMap,
  decode,
  encode,
  isCid,
  isDataMap,
  writeCar,
} from '@imago/data'
import { type CommitResult, Mst, parseCommit, RepoError, signCommit } from '@imago/repo'
import { type FuzzTarget, isSampled, linkItems, splitItems, unlinkItems } from '@imago/sim/fuzz'
import { naiveTree } from '@imago/sim/naive-tree'
import { encodeFrame } from '@imago/xrpc/frames'
import { parseCommitEvent } from './events.ts'
import {
  checkTransport,
  commit,
  eventOf,
  keypair,
  known,
  knownEntries,
  nowMs,
  put,
  remove,
  syncEventOf,
  trustingKey,
} from './frame.fuzz.ts'
import { type FrameVerdict, judgeFrame } from './judge-frame.ts'
import type { CommitContext } from './verify-commit.ts'

// An input is an event without its blocks, then the blocks, the commit first, each linking to later ones by number (see
// linkItems). Frame, CAR file and hashes are made of it, and signatures are trusted, so that a change comes through to the
// checks of what the event says.

const ONE_IN_FOR_TRANSPORT = 16
const ONE_IN_FOR_NAIVE = 16
const ONE_IN_FOR_SIGNATURE = 64

const active = { account: { status: 'active', head: known }, signingKey: trustingKey, nowMs }
/** One for each length of input in turn: mostly the plain one. */
const contexts: readonly CommitContext[] = [
  active,
  { ...active, decodeRecords: false },
  { ...active, pdsHost: 'pds.test', senderHost: 'PDS.test' },
  active,
  { ...active, account: undefined },
  active,
  { ...active, account: { status: 'active' } },
  { ...active, account: { status: 'active', head: { ...known, data: cidOfDrisl(encode('elsewhere')) } } },
]

const followUps: readonly CommitResult[] = [
  commit(known, 2, [put('create', 20)]),
  commit(known, 3, [remove(5)]),
  commit(known, 4, [put('update', 7, 'edited'), put('create', 22), remove(9), remove(11)]),
  commit(known, 5, []),
]
const genesis = commit(null, 6, [put('create', 1), put('create', 30)])

const told = (event: DataMap, { signed, frameBlocks }: CommitResult): Uint8Array =>
  unlinkItems([encode(event), signed.bytes, ...[...frameBlocks].slice(1).map(({ bytes }) => bytes)])

/** Takes a commit if, and as far as its blocks allow only if, its operations lead from the tree before to its own. */
export const target: FuzzTarget = {
  name: 'frame-checks',
  maxBytes: 4096,
  dictionary: ['create', 'update', 'delete', 'app.bsky.feed.post/k3', 'prev', 'cid', encode(known.data)],
  seeds: () => [
    ...[...followUps, genesis].map((result) => told(eventOf(result), result)),
    unlinkItems([encode(syncEventOf(followUps[0]!)), followUps[0]!.signed.bytes]),
  ],
  run(input) {
    const [first, ...blocks] = splitItems(input)
    if (first === undefined || blocks.length === 0) return
    const [, ...cids] = linkItems([first, ...blocks])
    const event = eventIn(first)
    if (event === undefined) return
    const context = contexts[input.length % contexts.length]!
    const verdict = judgeFrame(frameOf(event, cids, blocks), context)
    if (isSampled(input, ONE_IN_FOR_TRANSPORT)) checkTransport(verdict)
    if (isSampled(input, ONE_IN_FOR_SIGNATURE)) checkSignature(event, cids, blocks, context, verdict)
    if (event['ops'] !== undefined)
      checkCommit(event, blocks[0]!, verdict, isSampled(input, ONE_IN_FOR_NAIVE))
  },
}

function eventIn(bytes: Uint8Array): DataMap | undefined {
  try {
    const event = decode(bytes)
    return isDataMap(event) ? event : undefined
  } catch (error) {
    if (!(error instanceof DataError)) throw error
    return undefined
  }
}

function frameOf(event: DataMap, cids: readonly Cid[], blocks: readonly Uint8Array[]): Uint8Array {
  const car = writeCar(
    cids.slice(0, 1),
    blocks.map((bytes, i) => ({ cid: cids[i]!, bytes })),
  )
  return encodeFrame(event['ops'] === undefined ? '#sync' : '#commit', { ...event, blocks: car })
}

/** Whoever signs for real gets the same verdict, and whoever does not is refused for that. */
function checkSignature(
  event: DataMap,
  cids: readonly Cid[],
  blocks: readonly Uint8Array[],
  context: CommitContext,
  trusting: FrameVerdict,
): void {
  const strict = { ...context, signingKey: keypair.publicKey }
  const passed = trusting.accepted || ('check' in trusting && trusting.check > 10)
  let fields: ReturnType<typeof parseCommit>
  try {
    fields = parseCommit(blocks[0]!)
  } catch (error) {
    if (!(error instanceof RepoError)) throw error
    assert.equal(passed, false)
    return
  }
  const signed = signCommit(fields, keypair)
  if (passed && !signed.cid.equals(cids[0]!)) {
    const verdict = judgeFrame(frameOf(event, cids, blocks), strict)
    assert.ok('check' in verdict && verdict.check === 9, `a signature that nobody made: ${verdict.outcome}`)
  }
  const aboutIt = isCid(event['commit']) && event['commit'].equals(cids[0]!)
  const frame = frameOf(
    aboutIt ? { ...event, commit: signed.cid } : event,
    [signed.cid, ...cids.slice(1)],
    [signed.bytes, ...blocks.slice(1)],
  )
  const verdict = judgeFrame(frame, strict)
  assert.equal(verdict.outcome, trusting.outcome)
  assert.equal('check' in verdict && verdict.check, 'check' in trusting && trusting.check)
}

/** Holds a verdict to what somebody knows who has the whole repository, and applies operations to it as to a map. */
export function checkCommit(
  event: DataMap,
  block: Uint8Array,
  verdict: FrameVerdict,
  naively: boolean,
): void {
  if (verdict.outcome === 'malformed' || verdict.outcome === 'stale') return
  const { prevData } = event
  const before = prevData == null ? new Map<string, Cid>() : knownEntries
  if (isCid(prevData) && !prevData.equals(known.data)) return
  if (verdict.accepted) {
    const after = applied(before, event)
    assert.ok(after !== undefined, 'accepted, and its operations do not apply')
    assert.ok(Mst.from(after).root.equals(verdict.state.data), 'accepted, and leads elsewhere')
    if (naively)
      assert.ok(naiveTree(after).root.equals(verdict.state.data), 'the naive model leads elsewhere')
    assert.equal(verdict.state.rev, event['rev'])
    return
  }
  // What holds may be refused for what was not sent.
  if ((verdict.check !== 12 && verdict.check !== 15) || verdict.missing !== undefined) return
  const after = applied(before, event)
  const holds = after !== undefined && Mst.from(after).root.equals(parseCommit(block).data)
  assert.ok(!holds, `refused, and holds: ${verdict.reason}`)
}

/** What the operations make of a repository; `undefined` where they contradict it. */
function applied(before: ReadonlyMap<string, Cid>, event: DataMap): Map<string, Cid> | undefined {
  const after = new Map(before)
  for (const { action, path, cid, prev } of parseCommitEvent({ ...event, blocks: new Uint8Array() }).ops) {
    const held = before.get(path)
    if (action === 'create' ? held !== undefined : !held?.equals(prev!)) return undefined
    if (cid === null) after.delete(path)
    else after.set(path, cid)
  }
  return after
}
