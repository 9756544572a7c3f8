import { BlockMap, type BlockSource, type Cid } from '@imago/data'
import type { Did } from '@imago/syntax'
import type { RepoChange, RepoState } from './repo-store.ts'

/** Bytes of nodes that are kept for all repositories together. */
const MAX_TOTAL_BYTES = 128 * 1024 * 1024
/** Bytes of nodes of one repository; past it, remembering begins anew. */
const MAX_REPO_BYTES = 4 * 1024 * 1024
/** What an entry costs besides its nodes: keypair, CIDs, tables. */
const ENTRY_BYTES = 4096

/**
 * Repositories that were written to lately: their heads, and the nodes that the last writes passed through, so that a
 * busy repository is written to without reading from disk.
 *
 * One writer uses it. It belongs to a rule: whoever called {@link NodeCache.after} must call {@link NodeCache.put} once
 * the change is durable, or {@link NodeCache.forget} when it is not.
 */
export interface NodeCache {
  get(did: Did): RepoState | undefined
  /** The same state, with nodes that are remembered as they are read. */
  remember(state: RepoState): RepoState
  /** The state that follows from a change. */
  after(state: RepoState, change: RepoChange): RepoState
  put(state: RepoState): void
  forget(did: Did): void
}

class CachedNodes implements BlockSource {
  readonly #disk: BlockSource
  #known = new BlockMap()
  /** What the total counts for these nodes. */
  countedBytes = 0

  constructor(disk: BlockSource) {
    this.#disk = disk
  }

  get bytes(): number {
    return ENTRY_BYTES + this.#known.byteLength
  }

  get(cid: Cid): Uint8Array | undefined {
    const known = this.#known.get(cid)
    if (known !== undefined) return known
    const bytes = this.#disk.get(cid)
    if (bytes !== undefined) this.#known.set(cid, bytes)
    return bytes
  }

  apply({ addedNodes, removedNodes }: RepoChange): void {
    for (const cid of removedNodes) this.#known.delete(cid)
    this.#known.addAll(addedNodes)
  }

  /** Only while everything that it knows is on disk as well. */
  trim(): void {
    if (this.#known.byteLength > MAX_REPO_BYTES) this.#known = new BlockMap()
  }
}

interface CachedState extends RepoState {
  readonly nodes: CachedNodes
}

export function createNodeCache(): NodeCache {
  // In order of last use, the oldest first.
  const states = new Map<Did, CachedState>()
  let totalBytes = 0

  function forget(did: Did): void {
    const state = states.get(did)
    if (state === undefined) return
    states.delete(did)
    totalBytes -= state.nodes.countedBytes
    state.nodes.countedBytes = 0
  }

  return {
    get: (did) => states.get(did),
    remember: (state): CachedState => ({ ...state, nodes: new CachedNodes(state.nodes) }),
    after(state, change): CachedState {
      const { did, keypair, nodes } = state as CachedState
      nodes.apply(change)
      const { cid, rev, data } = change.head
      return { did, cid, rev, data, status: undefined, keypair, nodes }
    },
    put(state) {
      const cached = state as CachedState
      forget(cached.did)
      cached.nodes.trim()
      cached.nodes.countedBytes = cached.nodes.bytes
      totalBytes += cached.nodes.countedBytes
      states.set(cached.did, cached)
      for (const did of states.keys()) {
        if (totalBytes <= MAX_TOTAL_BYTES) break
        forget(did)
      }
    },
    forget,
  }
}
