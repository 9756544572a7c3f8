import assert from 'node:assert/strict'
import { BlockMap, type Cid, cidOfDrisl, encode, writeCar } from '@imago/data'
import { coveringProof, Mst } from '@imago/repo'
import { type FuzzTarget, isSampled } from '@imago/sim/fuzz'
import { naiveTree } from '@imago/sim/naive-tree'
import { tidFromMicros } from '@imago/syntax'
import { encodeFrame } from '@imago/xrpc/frames'
import type { CheckNumber } from './checks.ts'
import { did, known, knownEntries, nowMs, source, trustingKey } from './frame.fuzz.ts'
import { judgeFrame } from './judge-frame.ts'
import type { CommitContext } from './verify-commit.ts'

// An input tells a commit in so few bytes that nearly every change of them is another commit, well-formed and well
// hashed. The first bytes choose among the fields below; then come edits of four bytes, each made to the tree, told in the
// event, or both; what is left are numbers of blocks that are not sent.

const REVS = [
  tidFromMicros((nowMs - 1000) * 1000, 7),
  known.rev,
  tidFromMicros((nowMs - 7_200_000) * 1000, 7),
  tidFromMicros((nowMs + 240_000) * 1000, 7),
  tidFromMicros((nowMs + 360_000) * 1000, 7),
  'zzzzzzzzzzzzz',
] as const
const [LATER, , EARLIER, AHEAD, TOO_FAR_AHEAD, NO_TID] = REVS
const SINCES = [known.rev, null, EARLIER, LATER] as const
const PREV_DATAS = [known.data, undefined, cidOfDrisl(encode('elsewhere'))] as const
const FLAGS = { tooBig: 1, rebase: 2, otherDid: 4, otherCommit: 8, otherRev: 16, noDid: 32 } as const
/** As long as ours. */
const OTHER_DID = `${did.slice(0, -1)}a`
const MADE = 4
const TOLD = 8
const RECORD_DROPPED = 16
const UNLIKE_ITS_KIND = 0xff
const ONE_IN_FOR_NAIVE = 128
const HEAD_BYTES = 6
const EDIT_BYTES = 4
const MAX_EDITS = 8

const active = { account: { status: 'active', head: known }, signingKey: trustingKey, nowMs }
const contexts: readonly (CommitContext & { readonly refusedBy?: CheckNumber })[] = [
  active,
  { ...active, account: undefined },
  { ...active, account: { status: 'active' }, pdsHost: 'pds.test', senderHost: 'PDS.test' },
  { ...active, pdsHost: 'pds.test', senderHost: 'a.pds.test', refusedBy: 2 },
  { ...active, account: { status: 'deactivated' }, refusedBy: 3 },
  { account: active.account, nowMs, signingKey: undefined },
]
const ACTIONS = ['create', 'update', 'delete', 'replace'] as const
/** The posts that are known, and as many that are not. */
const paths = [...knownEntries.keys()].flatMap((path) => [path, `${path}x`])
const records = Array.from({ length: 6 }, (_, n) => encode(n === 5 ? 'not a map' : { text: `record ${n}` }))
const recordCids = records.map((bytes) => cidOfDrisl(bytes))
const knownTree = Mst.open(source, known.data)

const pickOf = <T>(choices: readonly T[], byte: number | undefined): T =>
  choices[(byte ?? 0) % choices.length]!

const CREATE = MADE | TOLD
const UPDATE = 1 | MADE | TOLD
const DELETE = 2 | MADE | TOLD

/** Each of the sixteen checks refuses what it is about, in their order, and what holds is accepted. */
export const target: FuzzTarget = {
  name: 'frame-shape',
  maxBytes: HEAD_BYTES + EDIT_BYTES * MAX_EDITS + 8,
  seeds: () =>
    [
      [0, 0, 0, 0, 0, 1, CREATE, 3, 1, 0],
      [0, 0, 0, 0, 0, 1, UPDATE, 6, 2, 0],
      [0, 0, 0, 0, 0, 1, DELETE, 10, 0, 0],
      [0, 0, 0, 0, 0, 4, CREATE, 1, 1, 0, CREATE, 5, 2, 0, DELETE, 8, 0, 0, UPDATE, 4, 3, 0],
      [0, 0, 0, 0, 0, 3, DELETE, 2, 0, 0, DELETE, 4, 0, 0, DELETE, 6, 0, 0],
      [1, 0, 1, 1, 0, 2, CREATE, 1, 1, 0, CREATE, 5, 2, 0],
      [0, 0, 0, 0, 0, 0],
    ].map((bytes) => Uint8Array.from(bytes)),
  run(input) {
    const context = pickOf(contexts, input[0])
    const rev = pickOf(REVS, input[1])
    const since = pickOf(SINCES, input[2])
    const prevData = pickOf(PREV_DATAS, input[3])
    const flags = input[4] ?? 0
    const { tree, entries, ops, sentRecords, end } = edit(prevData === undefined, input)
    if (isSampled(input, ONE_IN_FOR_NAIVE)) assert.ok(naiveTree(entries).root.equals(tree.root))
    const commit = encode({
      did: flags & FLAGS.otherDid ? OTHER_DID : did,
      version: 3,
      data: tree.root,
      rev: flags & FLAGS.otherRev ? AHEAD : rev,
      prev: null,
      sig: new Uint8Array(64),
    })
    const cid = cidOfDrisl(commit)
    // Any path brings the root, when there is no other.
    const nodes = coveringProof(tree, [paths[0]!, ...ops.map(({ path }) => path)]).addAll(tree.newBlocks())
    const dropped = new Set(Array.from(input.subarray(end), (number) => number % nodes.size))
    const sent = [...nodes].filter((_, index) => !dropped.has(index))
    const event = {
      seq: 1,
      repo: flags & FLAGS.noDid ? 'did:plc:' : did,
      commit: flags & FLAGS.otherCommit ? recordCids[0]! : cid,
      rev,
      since,
      ...(prevData && { prevData }),
      blocks: writeCar([cid], [{ cid, bytes: commit }, ...sent, ...sentRecords]),
      ops: ops.map((op) => ({ ...op })),
      blobs: [],
      time: '2026-01-01T00:00:00.000Z',
      tooBig: (flags & FLAGS.tooBig) !== 0,
      rebase: (flags & FLAGS.rebase) !== 0,
    }
    const verdict = judgeFrame(encodeFrame('#commit', event), context)
    const head = context.account?.head
    const expected =
      (flags & FLAGS.noDid ? 1 : context.refusedBy) ??
      refusedBeforeTree(rev, flags, context, ops) ??
      (ops.some((op) => isNotSo(op, entries, sentRecords)) ? 12 : undefined) ??
      (prevData === undefined && (since !== null || head !== undefined) ? 14 : undefined) ??
      (leadsBack(entries, ops, prevData) ? undefined : 15)
    if (verdict.accepted) {
      assert.equal(expected, undefined)
      assert.ok(verdict.cid.equals(cid) && verdict.state.data.equals(tree.root) && verdict.state.rev === rev)
      const gap = head !== undefined && (since !== head.rev || !prevData?.equals(head.data))
      const noMaps = ops.filter((op) => op.cid?.equals(recordCids.at(-1)!)).map(() => 13)
      assert.deepEqual(
        verdict.findings.map(({ check }) => check),
        gap ? [...noMaps, 16] : noMaps,
      )
      assert.equal(verdict.outcome, gap ? 'discontinuous' : 'accepted')
      assert.equal(verdict.genesis, prevData === undefined)
    } else {
      assert.ok(verdict.outcome !== 'malformed')
      assert.equal(verdict.outcome, verdict.check === 6 ? 'stale' : 'refused')
      // What was not sent may be needed before what is wrong is found.
      if (dropped.size === 0 || verdict.missing === undefined) assert.equal(verdict.check, expected)
    }
  },
}

interface Op {
  readonly action: string
  readonly path: string
  readonly cid: Cid | null
  readonly prev?: Cid
}

/** Makes the edits in a tree and in a map, and tells them: which is not always the same. */
function edit(anew: boolean, input: Uint8Array) {
  let tree = anew ? Mst.empty() : knownTree
  const entries = new Map(anew ? [] : knownEntries)
  const ops: Op[] = []
  const sentRecords = new BlockMap()
  const room = Math.max(0, Math.floor((input.length - HEAD_BYTES) / EDIT_BYTES))
  const end = HEAD_BYTES + EDIT_BYTES * Math.min(room, (input[HEAD_BYTES - 1] ?? 0) % (MAX_EDITS + 1))
  for (let at = HEAD_BYTES; at < end; at += EDIT_BYTES) {
    const what = input[at]!
    const action = ACTIONS[what & 3]!
    const path = pickOf(paths, input[at + 1])
    const record = input[at + 2]! % records.length
    if (what & MADE) {
      const value = recordCids[record]!
      if (action !== 'delete') {
        tree = entries.has(path) ? tree.update(path, value) : tree.insert(path, value)
        entries.set(path, value)
      } else if (entries.delete(path)) tree = tree.delete(path)
    }
    if ((what & TOLD) === 0) continue
    const cid = (action === 'delete') === (input[at + 2] === UNLIKE_ITS_KIND) ? recordCids[record]! : null
    const prev = prevOf(action, input[at + 3]!, knownEntries.get(path))
    ops.push({ action, path, cid, ...(prev && { prev }) })
    if (cid !== null && (what & RECORD_DROPPED) === 0) sentRecords.set(cid, records[record]!)
  }
  return { tree, entries, ops, sentRecords, end }
}

function prevOf(action: string, byte: number, held: Cid | undefined): Cid | undefined {
  if ((action === 'create') !== (byte === UNLIKE_ITS_KIND)) return undefined
  return byte === 0 || byte === UNLIKE_ITS_KIND ? (held ?? recordCids[0]!) : pickOf(recordCids, byte)
}

/** The first check that refuses, of those that come before the tree is looked at. */
function refusedBeforeTree(
  rev: (typeof REVS)[number],
  flags: number,
  { account, signingKey }: CommitContext,
  ops: readonly Op[],
): CheckNumber | undefined {
  if (flags & (FLAGS.tooBig | FLAGS.rebase)) return 4
  if (rev === TOO_FAR_AHEAD || rev === NO_TID) return 5
  if (account?.head !== undefined && rev <= account.head.rev) return 6
  if (flags & FLAGS.otherCommit) return 7
  if (flags & FLAGS.otherDid || (flags & FLAGS.otherRev && rev !== AHEAD)) return 8
  if (signingKey === undefined) return 10
  const isWrong = ({ action, cid, prev }: Op) =>
    (cid === null) !== (action === 'delete') ||
    (prev === undefined) !== (action === 'create') ||
    action === 'replace' ||
    (cid !== null && prev?.equals(cid))
  return ops.some(isWrong) || new Set(ops.map(({ path }) => path)).size < ops.length ? 11 : undefined
}

/** Whether the tree holds something else at a path than an operation says, or the record was not sent. */
const isNotSo = ({ path, cid }: Op, entries: ReadonlyMap<string, Cid>, sentRecords: BlockMap): boolean =>
  cid === null ? entries.has(path) : !entries.get(path)?.equals(cid) || !sentRecords.has(cid)

/** Whether undoing the operations leads to what was there before. */
function leadsBack(
  entries: ReadonlyMap<string, Cid>,
  ops: readonly Op[],
  prevData: Cid | undefined,
): boolean {
  if (prevData !== undefined && prevData !== known.data) return false
  const before = new Map(entries)
  for (const { path, prev } of ops)
    if (prev === undefined) before.delete(path)
    else before.set(path, prev)
  const wanted = prevData === undefined ? new Map<string, Cid>() : knownEntries
  return before.size === wanted.size && [...before].every(([path, cid]) => wanted.get(path)?.equals(cid))
}
