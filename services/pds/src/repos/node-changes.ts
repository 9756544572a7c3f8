import { type Block, BlockMap } from '@imago/data'
import type { Tid } from '@imago/syntax'
import type { RepoChange } from './repo-store.ts'

const NOTHING = new Uint8Array(0)

/** What a batch comes to for the nodes of one repository. */
export interface NetNodeChanges {
  /** The repository, by its number. */
  readonly repo: number
  /** The newest revision among the changes. Readers of an older one of them get a few nodes more than they lack. */
  readonly rev: Tid
  readonly added: Iterable<Block>
  readonly removed: Iterable<Pick<Block, 'cid'>>
}

/**
 * Gathers what the changes of a batch do to nodes. Every write to a repository replaces the nodes on its path up to the
 * root: of those that several writes in a row make, only the last ones have to reach the disk.
 */
export interface NodeChanges {
  add(repo: number, change: RepoChange): void
  net(): Iterable<NetNodeChanges>
}

export function createNodeChanges(): NodeChanges {
  const repos = new Map<number, { repo: number; rev: Tid; added: BlockMap; removed: BlockMap }>()
  return {
    add(repo, { head: { rev }, addedNodes, removedNodes }) {
      const known = repos.get(repo)
      const changes = known ?? { repo, rev, added: new BlockMap(), removed: new BlockMap() }
      if (known === undefined) repos.set(repo, changes)
      changes.rev = rev
      for (const cid of removedNodes) if (!changes.added.delete(cid)) changes.removed.set(cid, NOTHING)
      for (const { cid, bytes } of addedNodes) {
        // Back again: written anew, since it now belongs to a later revision.
        changes.removed.delete(cid)
        changes.added.set(cid, bytes)
      }
    },
    net: () => repos.values(),
  }
}
