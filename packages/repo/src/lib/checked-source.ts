import { type BlockSource, type Cid, DRISL_CODEC, equalBytes } from '@imago/data'
import { sha256 } from '@imago/data/sha256'
import { RepoError } from './repo-error.ts'

/**
 * A source whose blocks are hashed as they are read. For verifiers: a proof over blocks that are not what their CIDs
 * say proves nothing, wherever the blocks came from.
 * @throws {RepoError} InvalidBlock, from `get`, when a block is not what its CID says.
 */
export function checkedSource(source: BlockSource): BlockSource {
  return {
    get(cid: Cid) {
      const bytes = source.get(cid)
      if (bytes !== undefined && (cid.codec !== DRISL_CODEC || !equalBytes(sha256(bytes), cid.digest)))
        throw new RepoError('InvalidBlock', `block ${cid} is not what its CID says`)
      return bytes
    },
  }
}
