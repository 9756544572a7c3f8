import { importKeypair, type Keypair, type PublicKey } from '@imago/crypto'
import { type Block, BlockMap, type Cid, carEntry, carHeader, encode } from '@imago/data'
import { exportRepo, Mst, signCommit } from '@imago/repo'
import { createRandom } from '@imago/sim/random'
import type { Did } from '@imago/syntax'
import { anyRecord, anyTid } from './records.ts'

/** A whole repository as its host sends it. */
export interface RepositoryCar {
  readonly did: Did
  readonly key: PublicKey
  readonly records: number
  /** The commit, which is among the blocks. */
  readonly head: Cid
  readonly blocks: Iterable<Block>
  /**
   * The file, in streamable order, or in the worst one, in which nearly all blocks come too early: made while it is read,
   * and the same every time.
   */
  chunks(order?: 'shuffled'): Generator<Uint8Array, void, undefined>
}

const NOBODY: Did = 'did:plc:ewvi7nxzyoun6zhxrhs64oiz'
const REV = '3m4zzzzzzzz2a'
const CHUNK_BYTES = 65_536

/**
 * A repository of `records` records; the same seed gives the same bytes.
 * @param options.owner whose it is, and who signs. Default: nobody that is in a directory, with K-256.
 */
export function repositoryCar(options: {
  seed: number
  records: number
  owner?: { did: Did; keypair: Keypair }
}): RepositoryCar {
  const { seed, records } = options
  const random = createRandom(seed)
  const { did, keypair } = options.owner ?? { did: NOBODY, keypair: importKeypair('k256', random.bytes(32)) }
  const blocks = new BlockMap()
  const entries = Array.from({ length: records }, () => {
    const { collection, record } = anyRecord(random)
    return [`${collection}/${anyTid(random)}`, blocks.add(encode(record))] as const
  })
  const tree = Mst.from(entries)
  const { cid, bytes } = signCommit({ did, data: tree.root, rev: REV }, keypair)
  blocks.set(cid, bytes).addAll(tree.nodes())
  return {
    did,
    key: keypair.publicKey,
    records,
    head: cid,
    blocks,
    chunks: (order) =>
      carInChunks(
        cid,
        order === 'shuffled' ? createRandom(seed).shuffle([...blocks]) : exportRepo(blocks, cid),
      ),
  }
}

/** A CAR file in pieces of one size. */
export function* carInChunks(head: Cid, blocks: Iterable<Block>): Generator<Uint8Array, void> {
  let chunk = new Uint8Array(CHUNK_BYTES)
  let filled = 0
  const pieces = function* () {
    yield carHeader([head])
    for (const block of blocks) yield carEntry(block)
  }
  for (const piece of pieces()) {
    for (let at = 0; at < piece.length; ) {
      const part = piece.subarray(at, at + CHUNK_BYTES - filled)
      chunk.set(part, filled)
      at += part.length
      filled += part.length
      if (filled < CHUNK_BYTES) continue
      yield chunk
      chunk = new Uint8Array(CHUNK_BYTES)
      filled = 0
    }
  }
  if (filled > 0) yield chunk.subarray(0, filled)
}
