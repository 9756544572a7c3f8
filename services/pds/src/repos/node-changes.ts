import { type Block, BlockMap, type Cid } from '@imago/data'
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
  readonly removed: Iterable<Cid>
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
  // Most repositories of a batch change once: there is nothing to gather.
  const repos = new Map<number, NetNodeChanges | GatheredChanges>()
  return {
    add(repo, { head: { rev }, addedNodes: added, removedNodes: removed }) {
      const before = repos.get(repo)
      if (before === undefined) {
        repos.set(repo, { repo, rev, added, removed })
        return
      }
      const gathered = before instanceof GatheredChanges ? before : new GatheredChanges(before)
      gathered.follow(rev, added, removed)
      repos.set(repo, gathered)
    },
    net: () => repos.values(),
  }
}

class GatheredChanges implements NetNodeChanges {
  readonly repo: number
  rev: Tid
  readonly added = new BlockMap()
  readonly #removed = new BlockMap()

  constructor({ repo, rev, added, removed }: NetNodeChanges) {
    this.repo = repo
    this.rev = rev
    this.added.addAll(added)
    for (const cid of removed) this.#removed.set(cid, NOTHING)
  }

  get removed(): Cid[] {
    return Array.from(this.#removed, ({ cid }) => cid)
  }

  follow(rev: Tid, added: Iterable<Block>, removed: Iterable<Cid>): void {
    this.rev = rev
    for (const cid of removed) if (!this.added.delete(cid)) this.#removed.set(cid, NOTHING)
    for (const { cid, bytes } of added) {
      // Back again: written anew, since it now belongs to a later revision.
      this.#removed.delete(cid)
      this.added.set(cid, bytes)
    }
  }
}
