import { generateKeypair, type Keypair } from '@imago/crypto'
import { type Block, BlockMap, cidOfDrisl, type DataMap, encode, type Value, writeCar } from '@imago/data'
import { type CommitResult, type RepoHead, type RepoWrite, writeCommit } from '@imago/repo'
import { tidFromMicros } from '@imago/syntax'
import { type CommitEvent, parseCommitEvent, parseSyncEvent, type SyncEvent } from './events.ts'
import type { CommitContext } from './verify-commit.ts'

// Honest events, made by the code that a PDS makes them with. Tests take one and spoil a single thing.

export const did = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'
export const nowMs = Date.UTC(2026, 0, 1)
export const revOf = (n: number) => tidFromMicros((nowMs - 3_600_000) * 1000 + n, 7)

export function recordOf(value: Value): Block {
  const bytes = encode(value)
  return { cid: cidOfDrisl(bytes), bytes }
}
export const post = (n: number) => recordOf({ $type: 'app.bsky.feed.post', text: `post ${n}` })
export const create = (rkey: string, n: number): RepoWrite => ({
  action: 'create',
  path: `app.bsky.feed.post/${rkey}`,
  block: post(n),
})
export const update = (rkey: string, n: number): RepoWrite =>
  ({ ...create(rkey, n), action: 'update' }) as RepoWrite
export const remove = (rkey: string): RepoWrite => ({ action: 'delete', path: `app.bsky.feed.post/${rkey}` })

/** An account that commits. */
export class Author {
  readonly keypair: Keypair = generateKeypair('k256')
  readonly blocks = new BlockMap()
  head: RepoHead | null = null
  commits = 0

  write(...writes: RepoWrite[]): CommitResult {
    const rev = revOf(++this.commits)
    const result = writeCommit({
      did,
      source: this.blocks,
      head: this.head,
      writes,
      rev,
      keypair: this.keypair,
    })
    this.blocks.addAll(result.newBlocks)
    this.head = { data: result.tree.root, rev }
    return result
  }

  /** What a strict follower knows right before this author's next commit. */
  context(): CommitContext {
    return {
      account: { status: 'active', ...(this.head && { head: this.head }) },
      signingKey: this.keypair.publicKey,
      nowMs,
    }
  }
}

export function commitBody(result: CommitResult, changes: { [field: string]: Value } = {}): DataMap {
  return {
    seq: 1,
    repo: did,
    commit: result.signed.cid,
    rev: result.signed.commit.rev,
    since: result.since,
    ...(result.prevData && { prevData: result.prevData }),
    blocks: writeCar([result.signed.cid], result.frameBlocks),
    ops: result.ops.map(({ action, path, cid, prev }) => ({ action, path, cid, ...(prev && { prev }) })),
    blobs: [],
    tooBig: false,
    rebase: false,
    time: '2026-01-01T00:00:00.000Z',
    ...changes,
  }
}
export const commitEvent = (result: CommitResult, changes: { [field: string]: Value } = {}): CommitEvent =>
  parseCommitEvent(commitBody(result, changes))

export const syncEvent = (result: CommitResult, changes: { [field: string]: Value } = {}): SyncEvent =>
  parseSyncEvent({
    seq: 1,
    did,
    rev: result.signed.commit.rev,
    blocks: writeCar([result.signed.cid], [result.signed]),
    time: '2026-01-01T00:00:00.000Z',
    ...changes,
  })

/** An author with some posts, what is known of it, and its next commit: one creation, one update, two deletions. */
export function sample() {
  const author = new Author()
  author.write(...Array.from({ length: 60 }, (_, n) => create(`k${n}`, n)))
  const context = author.context()
  const result = author.write(create('new', 100), update('k1', 101), remove('k2'), remove('k3'))
  return { author, context, result }
}
