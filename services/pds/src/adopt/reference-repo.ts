import type { DatabaseSync } from 'node:sqlite'
import type { PublicKey } from '@imago/crypto'
import { type Block, type BlockSource, type Cid, cidOfDrisl, tryParseCid } from '@imago/data'
import { type Commit, isRepoPath, Mst, parseCommit, RepoError, verifyCommitSignature } from '@imago/repo'
import type { Did, Tid } from '@imago/syntax'
import { isTid } from '@imago/syntax'
import { CorruptAccountError } from './adopt-error.ts'

/** A repository in a `store.sqlite` of the reference. */
export interface ReferenceRepo {
  readonly cid: Cid
  readonly commit: Commit
  readonly commitBytes: Uint8Array
  /** The revision by its table. It is later than the commit's after an import, until the next write. */
  readonly rev: Tid
  /**
   * Whether the account's key signed the commit. After an import it is still the one of the server that the repository
   * came from.
   */
  readonly isOurs: boolean
  /**
   * Every node of the tree and every record, each checked as it comes: hashes, order, heights, and the table of records
   * against the tree. Records come in the order of their paths.
   * @throws {CorruptAccountError} at the first thing that is wrong.
   */
  content(): Generator<ReferenceNode | ReferenceRecord>
}

export interface ReferenceNode extends Block {
  readonly kind: 'node'
  readonly rev: string
}

export interface ReferenceRecord extends Block {
  readonly kind: 'record'
  readonly path: string
  readonly rev: string
  readonly takedownRef: string | null
}

interface BlockRow {
  repoRev: string
  content: Uint8Array
}

interface RecordRow {
  uri: string
  cid: string
  repoRev: string
  takedownRef: string | null
  content: Uint8Array | null
}

/**
 * Reads the newest commit, and checks it.
 * @param key of the account.
 * @throws {CorruptAccountError} when there is none, it is of another account, or a stranger signed it and no import
 *   explains that.
 */
export function openReferenceRepo(sqlite: DatabaseSync, did: Did, key: PublicKey): ReferenceRepo {
  const root = sqlite.prepare('SELECT cid, rev FROM repo_root WHERE did = ?').get(did) as
    | { cid: string; rev: string }
    | undefined
  if (root === undefined) throw new CorruptAccountError('it has no repository: repo_root is empty')
  const cid = cidOf(root.cid, 'repo_root')
  if (!isTid(root.rev))
    throw new CorruptAccountError(`repo_root/rev is ${JSON.stringify(root.rev)}, which is no TID`)
  const selectBlock = sqlite.prepare('SELECT repoRev, content FROM repo_block WHERE cid = ?')
  const block = selectBlock.get(root.cid) as BlockRow | undefined
  if (block === undefined) throw new CorruptAccountError(`the newest commit, ${root.cid}, is missing`)
  assertHash(cid, block.content, 'the newest commit')
  const commit = explained(() => parseCommit(block.content))
  if (commit.did !== did) throw new CorruptAccountError(`its repository is one of ${commit.did}`)
  const isOurs = verifyCommitSignature(commit, key)
  if (!isOurs && root.rev === commit.rev)
    throw new CorruptAccountError(
      `commit ${root.cid} is not signed by the key that lies beside it, ${key.didKey}: the file "key" or the database is not of this account`,
    )
  return {
    cid,
    commit,
    commitBytes: block.content,
    rev: root.rev,
    isOurs,
    *content() {
      const nodes: ReferenceNode[] = []
      const source: BlockSource = {
        get(nodeCid) {
          const row = selectBlock.get(nodeCid.toString()) as BlockRow | undefined
          if (row === undefined) return undefined
          assertHash(nodeCid, row.content, `node ${nodeCid}`)
          nodes.push({ kind: 'node', cid: nodeCid, rev: row.repoRev, bytes: row.content })
          return row.content
        },
      }
      const rows = recordRows(sqlite)
      const entries = Mst.open(source, commit.data).entries()
      for (;;) {
        const entry = explained(() => entries.next())
        yield* nodes.splice(0)
        if (entry.done) break
        yield checkedRecord(did, entry.value, rows.next().value)
      }
      const extra = rows.next().value
      if (extra !== undefined) throw notInTree(extra.uri)
    },
  }
}

function* recordRows(sqlite: DatabaseSync): Generator<RecordRow, undefined> {
  // Of one account all URIs begin alike, so that their order is that of paths, which is the tree's.
  yield* sqlite
    .prepare(
      `SELECT uri, record.cid, record.repoRev, takedownRef, content FROM record
        LEFT JOIN repo_block ON repo_block.cid = record.cid ORDER BY uri`,
    )
    .iterate() as unknown as Iterable<RecordRow>
  return undefined
}

function checkedRecord(
  did: Did,
  [path, cid]: readonly [string, Cid],
  row: RecordRow | undefined,
): ReferenceRecord {
  const uri = `at://${did}/${path}`
  if (!isRepoPath(path)) throw new CorruptAccountError(`${path} is no repository path, and in the tree`)
  if (row !== undefined && row.uri < uri) throw notInTree(row.uri)
  if (row === undefined || row.uri !== uri)
    throw new CorruptAccountError(`${uri} is in the signed tree, and not in the table of records: ${REBUILD}`)
  if (row.cid !== cid.toString())
    throw new CorruptAccountError(
      `${uri} is ${cid} in the signed tree, and ${row.cid} in the table: ${REBUILD}`,
    )
  if (row.content === null) throw new CorruptAccountError(`the block of ${uri}, ${cid}, is missing`)
  assertHash(cid, row.content, uri)
  return { kind: 'record', path, cid, rev: row.repoRev, bytes: row.content, takedownRef: row.takedownRef }
}

const REBUILD = "the reference's script rebuild-repo mends that"

const notInTree = (uri: string) =>
  new CorruptAccountError(`${uri} is in the table of records, and not in the signed tree: ${REBUILD}`)

function assertHash(cid: Cid, bytes: Uint8Array, what: string): void {
  if (!cidOfDrisl(bytes).equals(cid))
    throw new CorruptAccountError(`the bytes of ${what} do not hash to ${cid}`)
}

export function cidOf(text: string, where: string): Cid {
  const cid = tryParseCid(text)
  if (cid === undefined)
    throw new CorruptAccountError(`${where} names ${JSON.stringify(text)}, which is no CID`)
  return cid
}

function explained<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof RepoError) throw new CorruptAccountError(error.message, { cause: error })
    throw error
  }
}
