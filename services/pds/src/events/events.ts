import { type Cid, type DataMap, writeCar } from '@imago/data'
import type { NewEntry } from '@imago/log'
import type { CommitResult, RepoOp } from '@imago/repo'
import type { Did, Handle, Tid } from '@imago/syntax'
import { encodeFrame } from '@imago/xrpc/frames'
import type { RepoStatus } from '../repos/repo-store.ts'

/** An event of the repository stream before it has its number: `seq` is filled in when the log gives it one. */
export interface StreamEvent {
  readonly type: '#commit' | '#sync' | '#identity' | '#account'
  readonly body: DataMap
}

/**
 * The entry that the log will hold: the whole frame, encoded once for every reader.
 * @param did what it is about; an account's events can be purged by it.
 */
export function entryOf(did: Did, { type, body }: StreamEvent): NewEntry {
  return { key: did, encode: (seq) => encodeFrame(type, { ...body, seq }) }
}

/**
 * A change of a repository, with all that a reader needs to check it against the tree that it had before.
 * @param result of the commit; its `frameBlocks` are what the CAR holds.
 * @see https://atproto.com/specs/sync#commit-event
 */
export function commitEvent(did: Did, result: CommitResult, nowMs: number): StreamEvent {
  const { signed, since, prevData, ops, frameBlocks } = result
  const body: DataMap = {
    repo: did,
    rev: signed.commit.rev,
    since,
    commit: signed.cid,
    blocks: writeCar([signed.cid], frameBlocks),
    ops: ops.map(opOf),
    // Required by the schema, and without meaning since Sync 1.1.
    blobs: [],
    tooBig: false,
    rebase: false,
    time: timeOf(nowMs),
  }
  if (prevData !== null) body['prevData'] = prevData
  return { type: '#commit', body }
}

function opOf({ action, path, cid, prev }: RepoOp): DataMap {
  return prev === null ? { action, path, cid } : { action, path, cid, prev }
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
  return { type: '#sync', body: { did, rev, blocks: writeCar([commit.cid], [commit]), time: timeOf(nowMs) } }
}

/** Something about the identity may have changed: look it up anew. The handle is a hint. */
export function identityEvent(did: Did, handle: Handle | undefined, nowMs: number): StreamEvent {
  const body: DataMap = { did, time: timeOf(nowMs) }
  if (handle !== undefined) body['handle'] = handle
  return { type: '#identity', body }
}

/** Whether this host serves the account, and if not, why. */
export function accountEvent(
  did: Did,
  status: RepoStatus | 'deleted' | undefined,
  nowMs: number,
): StreamEvent {
  const body: DataMap = { did, active: status === undefined, time: timeOf(nowMs) }
  if (status !== undefined) body['status'] = status
  return { type: '#account', body }
}

const timeOf = (nowMs: number) => new Date(nowMs).toISOString()
