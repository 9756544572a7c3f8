import type { Block, BlockSource, Cid } from '@imago/data'
import { parseCommit } from './commit.ts'
import { Link } from './link.ts'
import { MissingBlockError } from './repo-error.ts'
import { Subtree } from './tree-node.ts'
import { TreeWalk } from './tree-walk.ts'

/**
 * All blocks of a repository in the order in which they can be consumed in one pass with no more than a stack: the
 * commit, then each node, its children in order, and each record directly after the entry that refers to it. A record
 * that stands at two paths comes twice.
 *
 * Blocks go out as they are in the source, which answers for them.
 * @param store asked for each block when its turn comes, and once.
 * @param head CID of the commit.
 * @throws {MissingBlockError} on reaching a block that is absent.
 * @throws {RepoError} InvalidCommit, InvalidMst, LimitExceeded
 * @see https://atproto.com/specs/repository#car-file-serialization
 */
export function* exportRepo(store: BlockSource, head: Cid): Generator<Block, void, undefined> {
  const source = readingOnce(store)
  const commitBytes = requireBlock(source, head, 'commit')
  yield { cid: head, bytes: commitBytes }
  const root = Subtree.stub(Link.of(parseCommit(commitBytes).data))
  const walk = new TreeWalk(source, root)
  yield { cid: root.cid, bytes: root.block(source) }
  for (let item = walk.item; item !== undefined; item = walk.item) {
    if ('subtree' in item) {
      walk.enter()
      yield { cid: item.subtree.cid, bytes: item.subtree.block(source) }
    } else {
      const { cid } = item.value
      yield { cid, bytes: requireBlock(source, cid, `record ${item.key}`) }
      walk.skip()
    }
  }
}

/** @throws {MissingBlockError} */
export function requireBlock(source: BlockSource, cid: Cid, what: string): Uint8Array {
  const bytes = source.get(cid)
  if (bytes === undefined) throw new MissingBlockError(cid, what)
  return bytes
}

/** A source that does not ask twice for what it asked for last: a node is decoded, and then sent. */
function readingOnce(source: BlockSource): BlockSource {
  let last: { cid: Cid; bytes: Uint8Array | undefined } | undefined
  return {
    get(cid) {
      if (last?.cid !== cid) last = { cid, bytes: source.get(cid) }
      return last.bytes
    },
  }
}
