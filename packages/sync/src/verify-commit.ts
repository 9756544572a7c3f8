import type { PublicKey } from '@imago/crypto'
import { type BlockMap, type Cid, DataError, decode, isDataMap, RECORD_LIMITS, readCar } from '@imago/data'
import {
  type Commit,
  invertOps,
  isRepoPath,
  MissingBlockError,
  Mst,
  parseCommit,
  RepoError,
  type RepoHead,
  type RepoOp,
  verifyCommitSignature,
  verifyTree,
} from '@imago/repo'
import { isDid, isTid, tidMicros } from '@imago/syntax'
import { type CheckNumber, type Finding, finding } from './checks.ts'
import type { CommitEvent, CommitEventOp } from './events.ts'

/** Bytes of the CAR slice of a `#commit`, at most. */
export const MAX_COMMIT_BLOCKS_BYTES = 2_000_000
/** Operations of one commit, at most. */
export const MAX_COMMIT_OPS = 200
/** Bytes of one record's block, at most. */
export const MAX_RECORD_BYTES = 1_000_000
/** How far a rev may lie ahead of our clock. */
export const MAX_REV_AHEAD_MS = 5 * 60_000

/** What is known of an account before an event about it. */
export interface KnownAccount {
  /** `active`, or why it is not: such as `takendown` or `deactivated`, here or at its host. */
  readonly status: string
  /** Where its repository stands, as last accepted; absent when nothing was yet. */
  readonly head?: RepoHead
}

/** What one event is judged against. All of it has been looked up before: judging takes no I/O. */
export interface EventContext {
  /** `undefined` for an account never heard of, which is no fault. */
  readonly account: KnownAccount | undefined
  /** The key of the account's DID document, or `undefined` when that cannot be resolved. */
  readonly signingKey: PublicKey | undefined
  /** Host name of the PDS in the DID document. Checked when both hosts are given: behind a relay they are not. */
  readonly pdsHost?: string
  /** Host name of whoever sent the event. */
  readonly senderHost?: string
  /** Milliseconds since the Unix epoch. */
  readonly nowMs: number
}

export interface CommitContext extends EventContext {
  /** Whether check 13 is made. A relay forwards records without looking at them. Default: true. */
  readonly decodeRecords?: boolean
}

/** The event is not to be acted on. */
export interface Refusal extends Finding {
  readonly accepted: false
  /** `stale` is no fault: the event has been seen, or one after it has. */
  readonly outcome: 'refused' | 'stale'
  /** The block that was needed and not sent, when that is what was wrong: a proof may be incomplete without being false. */
  readonly missing?: Cid
}

/** The event holds, and moves the repository to a new state. */
export interface CommitAcceptance {
  readonly accepted: true
  /**
   * `discontinuous` when the event does not follow on what is known (check 16): a relay passes it on, a consumer who keeps
   * records fetches the repository.
   */
  readonly outcome: 'accepted' | 'discontinuous'
  /** Checks that did not hold, of those that refuse nothing: 13 and 16. */
  readonly findings: readonly Finding[]
  readonly commit: Commit
  readonly cid: Cid
  /** What is known of the repository from now on. */
  readonly state: RepoHead
  readonly ops: readonly RepoOp[]
  /** What was sent, hashed. May hold blocks that no operation refers to, which are not to be stored. */
  readonly blocks: BlockMap
  /** Whether the repository began with this commit: its operations are all it has. */
  readonly genesis: boolean
}

export type CommitVerdict = CommitAcceptance | Refusal

/**
 * Judges a `#commit` by sixteen checks, in order; the first one that refuses is the verdict. Pure: the same event and
 * context give the same verdict, and what is wrong with an event never throws.
 *
 * Two refusals ask for a second try with fresh knowledge: 2 and 9 may come of an account that moved or changed its key,
 * so a caller resolves the identity again, once and at a limited rate.
 * @see https://atproto.com/specs/sync#commit-validation
 */
export function verifyCommit(event: CommitEvent, context: CommitContext): CommitVerdict {
  try {
    return judge(event, context)
  } catch (error) {
    if (error instanceof Refused) return error.refusal
    throw error
  }
}

function judge(event: CommitEvent, context: CommitContext): CommitAcceptance {
  const { repo, rev } = event
  const known = context.account?.head
  checkSender(repo, context)
  checkSize(event.blocks, MAX_COMMIT_BLOCKS_BYTES)
  if (event.ops.length > MAX_COMMIT_OPS)
    refuse(4, `${event.ops.length} operations: at most ${MAX_COMMIT_OPS} are allowed`)
  if (event.tooBig || event.rebase)
    refuse(
      4,
      `${event.tooBig ? 'tooBig' : 'rebase'} is set: such events cannot be followed, and are not sent any more`,
    )
  checkRev(rev, context.nowMs)
  if (known !== undefined && rev <= known.rev)
    throw new Refused({
      ...finding(6, `rev ${rev} does not come after ${known.rev}`),
      accepted: false,
      outcome: 'stale',
    })

  const { root: cid, blocks } = openSlice(event.blocks)
  if (!cid.equals(event.commit))
    refuse(7, `the first root is ${cid}, and the event is about commit ${event.commit}`)
  for (const op of event.ops) {
    const record = op.cid === null ? undefined : blocks.get(op.cid)
    if (record !== undefined && record.length > MAX_RECORD_BYTES)
      refuse(
        4,
        `the record at ${op.path} has ${record.length} bytes: at most ${MAX_RECORD_BYTES} are allowed`,
      )
  }
  const commit = checkCommitObject(blocks.get(cid)!, repo, rev)
  checkSignature(commit, context)

  const ops = checkOps(event.ops)
  const tree = Mst.open(blocks, commit.data)
  checkOpsAgainstTree(ops, tree, blocks)
  const findings: Finding[] = context.decodeRecords === false ? [] : undecodable(ops, blocks)

  const genesis = event.prevData === undefined
  if (genesis && event.since !== null)
    refuse(14, 'prevData is missing, and since says that this is not the first commit')
  if (genesis && known !== undefined)
    refuse(14, 'prevData is missing, and this is not the first commit that is known')
  checkInversion(tree, ops, event.prevData)

  const gap = discontinuity(event, known)
  if (gap !== undefined) findings.push(finding(16, gap))
  return {
    accepted: true,
    outcome: gap === undefined ? 'accepted' : 'discontinuous',
    findings,
    commit,
    cid,
    state: { data: commit.data, rev: commit.rev },
    ops,
    blocks,
    genesis,
  }
}

/**
 * Carries a verdict out of the check that came to it, and never leaves this package. Not an Error: nobody reads where it
 * came from, and capturing that costs more than most checks.
 */
export class Refused {
  readonly refusal: Refusal

  constructor(refusal: Refusal) {
    this.refusal = refusal
  }
}

export function refuse(check: CheckNumber, reason: string, missing?: Cid): never {
  throw new Refused({
    ...finding(check, reason),
    accepted: false,
    outcome: 'refused',
    ...(missing && { missing }),
  })
}

/** Checks 1 to 3: who it is about, and who says so. */
export function checkSender(did: string, { account, pdsHost, senderHost }: EventContext): void {
  if (!isDid(did)) refuse(1, `${quote(did)} is not a DID`)
  if (pdsHost !== undefined && senderHost !== undefined && pdsHost.toLowerCase() !== senderHost.toLowerCase())
    refuse(2, `sent by ${senderHost}, and the account is at ${pdsHost}`)
  if (account !== undefined && account.status !== 'active') refuse(3, `the account is ${account.status}`)
}

/** Check 4, what of it can be told before the blocks are read. */
export function checkSize(blocks: Uint8Array, max: number): void {
  if (blocks.length === 0) refuse(4, 'no blocks')
  if (blocks.length > max) refuse(4, `${blocks.length} bytes of blocks: at most ${max} are allowed`)
}

/** Check 5 */
export function checkRev(rev: string, nowMs: number): void {
  if (!isTid(rev)) refuse(5, `rev ${quote(rev)} is not a TID`)
  const aheadMs = tidMicros(rev) / 1000 - nowMs
  if (aheadMs > MAX_REV_AHEAD_MS)
    refuse(
      5,
      `rev ${rev} lies ${Math.round(aheadMs / 1000)} s ahead: at most ${MAX_REV_AHEAD_MS / 1000} s are allowed`,
    )
}

/** Check 7: blocks that are what their CIDs say, the commit among them. */
export function openSlice(bytes: Uint8Array): { root: Cid; blocks: BlockMap } {
  let car: ReturnType<typeof readCar>
  try {
    car = readCar(bytes)
  } catch (error) {
    if (!(error instanceof DataError)) throw error
    refuse(7, error.message)
  }
  const root = car.roots[0]
  if (root === undefined) refuse(7, 'the CAR slice has no root: the first one has to be the commit')
  if (!car.blocks.has(root)) refuse(7, `the commit ${root} is not among the blocks`, root)
  return { root, blocks: car.blocks }
}

/** Check 8 */
export function checkCommitObject(bytes: Uint8Array, did: string, rev: string): Commit {
  let commit: Commit
  try {
    commit = parseCommit(bytes)
  } catch (error) {
    if (!(error instanceof RepoError)) throw error
    refuse(8, error.message)
  }
  if (commit.did !== did) refuse(8, `the commit is about ${commit.did}, and the event about ${did}`)
  if (commit.rev !== rev) refuse(8, `the commit has rev ${commit.rev}, and the event ${rev}`)
  return commit
}

/** Checks 9 and 10 */
export function checkSignature(commit: Commit, { signingKey }: EventContext): void {
  if (signingKey === undefined) refuse(10, `the signing key of ${commit.did} is not known`)
  if (!verifyCommitSignature(commit, signingKey))
    refuse(9, `the commit is not signed by ${signingKey.didKey}`)
}

/** Check 11: each operation says what its kind has to say, each about a path of its own. */
function checkOps(ops: readonly CommitEventOp[]): RepoOp[] {
  const paths = new Set<string>()
  return ops.map(({ action, path, cid, prev = null }) => {
    if (!isRepoPath(path)) refuse(11, `${quote(path)} is not a repository path`)
    if (paths.has(path)) refuse(11, `two operations on ${path}`)
    paths.add(path)
    const wrong = (expected: string) =>
      refuse(
        11,
        `${action} ${path} has ${cid === null ? 'no cid' : 'a cid'} and ${prev === null ? 'no prev' : 'a prev'}: expected ${expected}`,
      )
    if (action === 'create') {
      if (cid === null || prev !== null) wrong('a cid, and no prev')
    } else if (action === 'update') {
      if (cid === null || prev === null) wrong('both')
      if (cid!.equals(prev!)) refuse(11, `update ${path} changes nothing: cid and prev are the same`)
    } else if (action === 'delete') {
      if (cid !== null || prev === null) wrong('a prev, and no cid')
    } else refuse(11, `${quote(action)} is not an action: expected create, update or delete`)
    return { action, path, cid, prev } as RepoOp
  })
}

/** Check 12: the tree, what of it was sent, is a tree, and holds what the operations say it does. */
function checkOpsAgainstTree(ops: readonly RepoOp[], tree: Mst, blocks: BlockMap): void {
  withTree(12, () => {
    verifyTree(tree, { partial: true })
    for (const { path, cid } of ops) {
      const held = tree.get(path)
      if (cid === null) {
        if (held !== undefined) refuse(12, `${path} was deleted, and is in the tree with ${held}`)
        continue
      }
      if (held === undefined) refuse(12, `${path} is not in the tree, and should be with ${cid}`)
      if (!held.equals(cid)) refuse(12, `${path} is in the tree with ${held}, not ${cid}`)
      if (!blocks.has(cid)) refuse(12, `the record ${cid} at ${path} is not among the blocks`, cid)
    }
  })
}

/** Check 13, which refuses nothing: what a record means is for those who index it. */
function undecodable(ops: readonly RepoOp[], blocks: BlockMap): Finding[] {
  const findings: Finding[] = []
  for (const { path, cid } of ops) {
    if (cid === null) continue
    try {
      if (!isDataMap(decode(blocks.get(cid)!, RECORD_LIMITS)))
        findings.push(finding(13, `the record at ${path} is not a map`))
    } catch (error) {
      if (!(error instanceof DataError)) throw error
      findings.push(finding(13, `the record at ${path} cannot be read: ${error.message}`))
    }
  }
  return findings
}

/** Check 15: undoing the operations leads to the tree that was there before, or to the empty one. */
function checkInversion(tree: Mst, ops: readonly RepoOp[], prevData: Cid | undefined): void {
  withTree(15, () => {
    const before = invertOps(tree, ops).root
    if (prevData === undefined) {
      if (!before.equals(Mst.empty().root)) refuse(15, `the first commit holds more than its operations say`)
    } else if (!before.equals(prevData))
      refuse(15, `the operations undone lead to ${before}, not to prevData ${prevData}`)
  })
}

function withTree(check: CheckNumber, body: () => void): void {
  try {
    body()
  } catch (error) {
    if (!(error instanceof RepoError)) throw error
    refuse(check, error.message, error instanceof MissingBlockError ? error.cid : undefined)
  }
}

/** Check 16: in which way the event does not follow on what is known. */
function discontinuity(event: CommitEvent, known: RepoHead | undefined): string | undefined {
  if (known === undefined) return undefined
  if (event.since !== known.rev) return `since is ${event.since}, and the last known rev ${known.rev}`
  if (!event.prevData?.equals(known.data))
    return `prevData is ${event.prevData}, and the last known root ${known.data}`
  return undefined
}

const quote = (text: string) => JSON.stringify(text.slice(0, 80))
