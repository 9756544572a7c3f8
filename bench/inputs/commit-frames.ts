import { importKeypair, type PublicKey } from '@imago/crypto'
import { type Block, BlockMap, cidOfDrisl, type DataMap, encode, writeCar } from '@imago/data'
import { type CommitResult, type RepoHead, type RepoWrite, writeCommit } from '@imago/repo'
import { createRandom, type Random } from '@imago/sim/random'
import type { KnownAccount } from '@imago/sync'
import { type Did, tidFromMicros } from '@imago/syntax'
import { encodeFrame } from '@imago/xrpc/frames'
import { anyRecord, anyTid } from './records.ts'

/** A `#commit` as it comes off the wire, and what a follower knows right before it. */
export interface CommitFrame {
  readonly bytes: Uint8Array
  readonly account: KnownAccount
}

export interface CommitStream {
  readonly frames: readonly CommitFrame[]
  readonly key: PublicKey
  /** Milliseconds since the Unix epoch, right after the last commit. */
  readonly nowMs: number
  /** Blocks of one frame, on average. */
  readonly meanBlocks: number
  readonly meanBytes: number
}

const NOW_MS = Date.UTC(2026, 0, 1)
const BEFORE_MICROS = (NOW_MS - 3_600_000) * 1000
const CLOCK_ID = 7
const did: Did = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'

/**
 * The next commits of a repository that holds `records` records, signed with K-256: mostly one record made, at times one
 * changed or deleted. The same seed gives the same bytes.
 */
export function commitFrames({
  seed,
  records,
  commits,
}: {
  seed: number
  records: number
  commits: number
}): CommitStream {
  const random = createRandom(seed)
  const keypair = importKeypair('k256', random.bytes(32))
  const source = new BlockMap()
  const paths: string[] = []
  let head: RepoHead | null = null
  let revs = 0

  const commit = (writes: readonly RepoWrite[]): CommitResult => {
    const rev = tidFromMicros(BEFORE_MICROS + ++revs, CLOCK_ID)
    const result = writeCommit({ did, source, head, writes, rev, keypair })
    source.addAll(result.newBlocks)
    head = { data: result.tree.root, rev }
    return result
  }
  const create = (): RepoWrite => {
    const { collection, record } = anyRecord(random)
    const path = `${collection}/${anyTid(random)}`
    paths.push(path)
    return { action: 'create', path, block: blockOf(record) }
  }

  commit(Array.from({ length: records }, create))
  let blocks = 0
  const frames = Array.from({ length: commits }, (_, n): CommitFrame => {
    const account = { status: 'active', head: head! }
    const result = commit([nextWrite(random, paths, create)])
    blocks += result.frameBlocks.size
    return { bytes: encodeFrame('#commit', commitBody(n + 1, result)), account }
  })
  return {
    frames,
    key: keypair.publicKey,
    nowMs: NOW_MS,
    meanBlocks: blocks / commits,
    meanBytes: frames.reduce((sum, { bytes }) => sum + bytes.length, 0) / commits,
  }
}

function nextWrite(random: Random, paths: string[], create: () => RepoWrite): RepoWrite {
  const dice = random.int(100)
  if (dice < 85) return create()
  const [path] = paths.splice(random.int(paths.length), 1)
  if (dice < 95) return { action: 'delete', path: path! }
  paths.push(path!)
  return { action: 'update', path: path!, block: blockOf(anyRecord(random).record) }
}

function blockOf(record: DataMap): Block {
  const bytes = encode(record)
  return { cid: cidOfDrisl(bytes), bytes }
}

/** The body that a PDS sends about a commit. */
function commitBody(seq: number, { signed, since, prevData, frameBlocks, ops }: CommitResult): DataMap {
  return {
    seq,
    repo: signed.commit.did,
    commit: signed.cid,
    rev: signed.commit.rev,
    since,
    ...(prevData && { prevData }),
    blocks: writeCar([signed.cid], frameBlocks),
    ops: ops.map(({ action, path, cid, prev }) => ({ action, path, cid, ...(prev && { prev }) })),
    blobs: [],
    tooBig: false,
    rebase: false,
    time: new Date(NOW_MS).toISOString(),
  }
}
