import type { Cid } from '@imago/data'
import type { Link } from './link.ts'
import type { Mst } from './mst.ts'
import { RepoError } from './repo-error.ts'
import type { RepoOp } from './repo-op.ts'

/**
 * The tree before `ops`, out of the tree after them: what was created is removed, what was deleted is put back, and what
 * each operation says about values has to be so. When the root of the answer is the one that a commit names as
 * `prevData`, the operations are all that the commit did.
 *
 * Needs only the blocks of the operations' {@link coveringProof}.
 * @throws {RepoError} InversionMismatch when an operation contradicts the tree, names a path twice or is malformed;
 *   InvalidMst, InvalidKey, LimitExceeded.
 * @throws {MissingBlockError} when the proof is incomplete.
 * @see https://atproto.com/specs/sync#commit-validation-mst-operation-inversion
 */
export function invertOps(tree: Mst, ops: readonly RepoOp[]): Mst {
  const paths = new Set<string>()
  for (const { path } of ops) {
    if (paths.has(path)) throw mismatch(`two operations on ${path}`)
    paths.add(path)
  }
  return invertInOrder(tree, ops.toSorted(deletesFirst))
}

/** Deletions, then the rest, each in the order of paths. With a complete proof any other order does as well. */
function deletesFirst(a: RepoOp, b: RepoOp): number {
  const rank = (op: RepoOp) => (op.action === 'delete' ? 0 : 1)
  return rank(a) - rank(b) || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)
}

/** As {@link invertOps}, in the order given. */
export function invertInOrder(tree: Mst, ops: readonly RepoOp[]): Mst {
  let current = tree
  for (const op of ops) current = invertOp(current, op)
  return current
}

function invertOp(tree: Mst, { action, path, cid, prev }: RepoOp): Mst {
  const held = tree.find(path)
  if (action === 'create') {
    if (cid === null || prev !== null) throw mismatch(`creating ${path} takes a cid, and no prev`)
    expectHeld(path, held, cid)
    return tree.delete(path)
  }
  if (action === 'update') {
    if (cid === null || prev === null) throw mismatch(`updating ${path} takes a cid and a prev`)
    expectHeld(path, held, cid)
    return tree.update(path, prev)
  }
  if (cid !== null || prev === null) throw mismatch(`deleting ${path} takes a prev, and no cid`)
  if (held !== undefined) throw mismatch(`${path} was deleted, and is in the tree with ${held.cid}`)
  return tree.insert(path, prev)
}

function expectHeld(path: string, held: Link | undefined, expected: Cid): void {
  if (held === undefined) throw mismatch(`${path} is not in the tree, and should be with ${expected}`)
  if (!held.is(expected)) throw mismatch(`${path} is in the tree with ${held.cid}, not ${expected}`)
}

const mismatch = (message: string) => new RepoError('InversionMismatch', message)
