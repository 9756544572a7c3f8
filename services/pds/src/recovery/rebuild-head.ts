import { importKeypair } from '@imago/crypto'
import { type BlockSource, type Cid, cidOfDrisl } from '@imago/data'
import { parseCommit, RepoError, type SignedCommit, signCommit, verifyCommitSignature } from '@imago/repo'
import { createTidClock, isTid, type Tid } from '@imago/syntax'
import type { AccountRepair } from './account-repair.ts'
import type { Told } from './verify-events.ts'
import { commitOf, publicKeyOf } from './verify-repo.ts'

/** The head that a repository has from now on. */
export interface RepairedHead {
  readonly cid: Cid
  readonly rev: Tid
  readonly bytes: Uint8Array
}

/**
 * A signed commit of the tree `data`: the one that there is, if it is that; or the one that was announced last, if the
 * head fell behind it; or a new one, beyond every revision that anyone may have seen.
 * @returns `undefined` when there is none, and no key to sign one with.
 */
export function repairHead(
  repair: AccountRepair,
  data: Cid,
  told: Told,
  events: BlockSource,
): RepairedHead | undefined {
  const { repo, sql } = repair
  const key = publicKeyOf(repo)
  const isGood = ({ commit }: SignedCommit) =>
    commit.did === repo.did &&
    commit.data.equals(data) &&
    (key === undefined || verifyCommitSignature(commit, key))

  const own = readCommit(repo.commit_bytes)
  if (own !== undefined && isGood(own) && !isBehind(own, told)) {
    if (typeof commitOf(repo) === 'string') {
      write(repair, own)
      repair.mended(`the head is what the commit's own bytes say: ${own.cid}`)
    }
    return headOf(own)
  }
  const announced = told.head && readCommit(events.get(told.head.cid))
  if (announced !== undefined && isGood(announced)) {
    write(repair, announced)
    repair.mended(`the head is ${announced.cid} again, which the stream had announced`)
    return headOf(announced)
  }
  if (key === undefined) {
    repair.lost(
      'key-invalid',
      'a new commit is needed, and there is no key to sign it',
      'restore the account from a backup, or give it a new signing key and rebuild then',
    )
    return undefined
  }
  const { newest } = sql.prepare('SELECT max(rev) AS newest FROM record WHERE repo = ?').get(repo.id) as {
    newest: string | null
  }
  const seen = [repo.rev, newest, told.head?.rev].filter((rev) => isTid(rev)).sort()
  const clock = createTidClock({ nowMicros: () => repair.now() * 1000, clockId: 0 })
  const rev = clock.next(seen.at(-1))
  const keypair = importKeypair('k256', repo.signing_key)
  const signed = signCommit({ did: repo.did, data, rev }, keypair)
  write(repair, signed)
  repair.mended(`a new commit ${signed.cid} was signed, of revision ${rev}`)
  return headOf(signed)
}

const headOf = ({ cid, bytes, commit: { rev } }: SignedCommit): RepairedHead => ({ cid, rev, bytes })

/** Whether the stream has announced another commit than this one, or a later one. */
const isBehind = ({ cid, commit: { rev } }: SignedCommit, { head }: Told) =>
  head !== undefined && (head.rev > rev || (head.rev === rev && !head.cid.equals(cid)))

function readCommit(bytes: Uint8Array | undefined): SignedCommit | undefined {
  if (bytes === undefined) return undefined
  try {
    return { cid: cidOfDrisl(bytes), bytes, commit: parseCommit(bytes) }
  } catch (error) {
    if (error instanceof RepoError) return undefined
    throw error
  }
}

function write({ sql, repo }: AccountRepair, { cid, bytes, commit }: SignedCommit): void {
  sql
    .prepare('UPDATE repo SET head = ?, rev = ?, data = ?, commit_bytes = ? WHERE id = ?')
    .run(cid.bytes, commit.rev, commit.data.bytes, bytes, repo.id)
}
