import { type Cid, type DataMap, writeCar } from '@imago/data'
import type { NewEntry } from '@imago/log'
import type { CommitResult, RepoOp } from '@imago/repo'
import type { Did, Handle, Tid } from '@imago/syntax'
import { encodeFrame } from '@imago/xrpc/frames'
import type { RepoStatus } from '../repos/repo-store.ts'

/** An event of the repository stream before it has its number: `seq` is 0 until the log gives it one. */
export interface StreamEvent {
  readonly type: '#commit' | '#sync' | '#identity' | '#account'
  readonly body: DataMap
}

// Fields stand in the order of DRISL, which spares the encoder the sorting: half of its time.
const seq = 0

/**
 * The entry that the log will hold: the whole frame, encoded once for every reader.
 * @param did what it is about; an account's events can be purged by it.
 */
export function entryOf(did: Did, { type, body }: StreamEvent): NewEntry {
  return { key: did, encode: (number) => encodeFrame(type, { ...body, seq: number }) }
}

/**
 * A change of a repository, with all that a reader needs to check it against the tree that it had before.
 * @param result of the commit; its `frameBlocks` are what the CAR holds.
 * @see https://atproto.com/specs/sync#commit-event
 */
export function commitEvent(did: Did, result: CommitResult, nowMs: number): StreamEvent {
  const { signed, since, prevData, ops, frameBlocks } = result
  const body: DataMap = {
    ops: ops.map(opOf),
    rev: signed.commit.rev,
    seq,
    repo: did,
    time: timeOf(nowMs),
    // Required by the schema, as are `rebase` and `tooBig`, and without meaning since Sync 1.1.
    blobs: [],
    since,
    blocks: writeCar([signed.cid], frameBlocks),
    commit: signed.cid,
    rebase: false,
    tooBig: false,
  }
  if (prevData !== null) body['prevData'] = prevData
  return { type: '#commit', body }
}

function opOf({ action, path, cid, prev }: RepoOp): DataMap {
  return prev === null ? { cid, path, action } : { cid, path, prev, action }
}

/**
 * Where a repository stands, without what changed: after creation and activation, and in place of a commit that would
 * not pass. Its CAR holds exactly the commit.
 * @see https://atproto.com/specs/sync#sync-event
 */
export function syncEvent(
  did: Did,
  commit: { cid: Cid; rev: Tid; bytes: Uint8Array },
  nowMs: number,
): StreamEvent {
  const { rev } = commit
  const blocks = writeCar([commit.cid], [commit])
  return { type: '#sync', body: { did, rev, seq, time: timeOf(nowMs), blocks } }
}

/** Something about the identity may have changed: look it up anew. The handle is a hint. */
export function identityEvent(did: Did, handle: Handle | undefined, nowMs: number): StreamEvent {
  const body: DataMap = { did, seq, time: timeOf(nowMs) }
  if (handle !== undefined) body['handle'] = handle
  return { type: '#identity', body }
}

/** Whether this host serves the account, and if not, why. */
export function accountEvent(
  did: Did,
  status: RepoStatus | 'deleted' | undefined,
  nowMs: number,
): StreamEvent {
  const body: DataMap = { did, seq, time: timeOf(nowMs), active: status === undefined }
  if (status !== undefined) body['status'] = status
  return { type: '#account', body }
}

/** The last time as text: most events of a batch are of the same millisecond. */
let knownMs = Number.NaN
let knownTime = ''

function timeOf(nowMs: number): string {
  if (nowMs !== knownMs) {
    knownTime = new Date(nowMs).toISOString()
    knownMs = nowMs
  }
  return knownTime
}
