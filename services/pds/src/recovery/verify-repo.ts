import { importKeypair, type PublicKey } from '@imago/crypto'
import {
  type BlockSource,
  type Cid,
  cidFromBytes,
  cidOfDrisl,
  DataError,
  decode,
  equalBytes,
  isDataMap,
} from '@imago/data'
import {
  type Commit,
  isRepoPath,
  MissingBlockError,
  Mst,
  parseCommit,
  RepoError,
  verifyCommitSignature,
} from '@imago/repo'
import type { BlobUsage } from '../blobs/blob-index.ts'
import { referencesOf } from '../records/record-references.ts'
import { NODE } from '../repos/repo-snapshot-sqlite.ts'
import type { Finding, FindingCode } from './finding.ts'
import { createPathCursor } from './path-cursor.ts'
import {
  backlinksOf,
  blobReferencesOf,
  type RecordRow,
  type RepoRow,
  recordsOf,
  type Statements,
} from './repo-tables.ts'

const REBUILD = 'imago pds rebuild'

/**
 * Everything that the tables say of one repository, against each other: key, commit, tree, records, and the lists of
 * blobs and subjects that follow from records. Holds one path of the tree and one record at a time.
 */
export function* verifyRepo(sql: Statements, repo: RepoRow): Generator<Finding, void, undefined> {
  const found = findingOf(repo)
  yield* verifyHead(repo, found)
  const tree = openTree(sql, repo)
  yield* verifyRecords(sql, repo, tree, found)
  yield* verifyBlobUsage(sql, repo, found)
  if (tree.fault === undefined) yield* orphanNodes(sql, repo, tree, found)
  else yield found(...tree.fault)
}

type About = (code: FindingCode, message: string, more?: Partial<Finding>) => Finding

const findingOf =
  ({ did }: RepoRow): About =>
  (code, message, more) => ({
    type: 'finding',
    code,
    level: 'error',
    did,
    message,
    fix: `${REBUILD} --did ${did}`,
    ...more,
  })

function* verifyHead(repo: RepoRow, found: About): Generator<Finding> {
  const key = publicKeyOf(repo)
  if (key === undefined)
    yield found('key-invalid', 'the signing key is no K-256 key', {
      fix: 'restore the account from a backup, or give it a new signing key',
    })
  const commit = commitOf(repo)
  if (typeof commit === 'string') {
    yield found('commit-invalid', commit)
    return
  }
  if (key !== undefined && !verifyCommitSignature(commit, key))
    yield found('commit-signature', `commit ${cidText(repo.head)} is not signed by ${key.didKey}`)
}

/** `undefined` where the row holds no key. */
export function publicKeyOf({ signing_key: secret }: RepoRow): PublicKey | undefined {
  try {
    return importKeypair('k256', secret).publicKey
  } catch {
    return undefined
  }
}

/** The commit, when it is what the row says of it; otherwise what is wrong. */
export function commitOf({ did, head, rev, data, commit_bytes: bytes }: RepoRow): Commit | string {
  let commit: Commit
  try {
    commit = parseCommit(bytes)
  } catch (error) {
    return `the commit cannot be read: ${(error as Error).message}`
  }
  const cid = cidOfDrisl(bytes)
  if (!equalBytes(cid.bytes, head)) return `the head is ${cidText(head)}, and the commit's bytes are ${cid}`
  if (commit.did !== did) return `the commit is of ${commit.did}`
  if (commit.rev !== rev) return `the revision is ${rev}, and the commit says ${commit.rev}`
  if (!equalBytes(commit.data.bytes, data))
    return `the tree is ${cidText(data)}, and the commit says ${commit.data}`
  return commit
}

/** Bytes of a CID column may be damaged as well. */
export function cidText(bytes: Uint8Array): string {
  try {
    return cidFromBytes(bytes).toString()
  } catch {
    return `0x${bytes.toHex()}`
  }
}

interface Tree {
  /** Path and CID of each record. Ends early where the tree is broken: then `fault` says how. */
  readonly entries: Generator<readonly [path: string, cid: Cid], void>
  /** Nodes that were read. */
  readonly nodes: number
  readonly fault: readonly [code: FindingCode, message: string] | undefined
}

function openTree(sql: Statements, { id, data }: RepoRow): Tree {
  let nodes = 0
  let fault: Tree['fault']
  const stored = hashedNodes(sql, id)
  const source: BlockSource = {
    get(cid) {
      nodes++
      return stored.get(cid)
    },
  }
  function* entries(): Tree['entries'] {
    let last = ''
    try {
      for (const entry of Mst.open(source, cidFromBytes(data)).entries()) {
        if (!isRepoPath(entry[0])) throw new RepoError('InvalidKey', `${entry[0]} is no repository path`)
        yield entry
        last = entry[0]
      }
    } catch (error) {
      if (!(error instanceof RepoError) && !(error instanceof DataError)) throw error
      const code = error instanceof MissingBlockError ? 'node-missing' : 'node-invalid'
      const where = last === '' ? '' : `, after ${last}`
      fault = [code, `${error.message}${where}; what comes behind it could not be compared`]
    }
  }
  return {
    entries: entries(),
    get nodes() {
      return nodes
    },
    get fault() {
      return fault
    },
  }
}

/** Nodes of a repository, each hashed when it is read. */
export function hashedNodes(sql: Statements, repo: number): BlockSource {
  const select = sql.prepare(NODE)
  return {
    get(cid) {
      const bytes = (select.get(repo, cid.bytes) as { bytes: Uint8Array } | undefined)?.bytes
      if (bytes !== undefined && !cidOfDrisl(bytes).equals(cid))
        throw new RepoError('InvalidBlock', `node ${cid} is not what its CID says`)
      return bytes
    },
  }
}

function* verifyRecords(sql: Statements, repo: RepoRow, tree: Tree, found: About): Generator<Finding> {
  const { id } = repo
  const listed = createPathCursor(pathsOf(tree.entries))
  const blobs = createPathCursor(blobReferencesOf(sql, id))
  const backlinks = createPathCursor(backlinksOf(sql, id))
  const selectBlob = sql.prepare('SELECT temporary FROM blob WHERE repo = ? AND cid = ?')

  const absent = ({ path, cid }: { path: string; cid: Cid }) =>
    found('record-missing', `the tree holds ${cid}, and the table nothing`, { path })
  const strayReference = ({ path, cid }: { path: string; cid: Uint8Array }) =>
    found('blob-reference-stray', `no record there refers to blob ${cidText(cid)}`, { path })
  const strayBacklink = ({ path, subject }: { path: string; subject: string }) =>
    found('backlink-stray', `no record there is about ${subject}`, { path })

  for (const row of recordsOf(sql, id)) {
    const { path } = row
    for (const entry of listed.before(path)) yield absent(entry)
    const [entry] = listed.at(path)
    if (entry === undefined) {
      if (tree.fault === undefined)
        yield found('record-unlisted', `the table holds ${cidText(row.cid)}, and the tree nothing`, { path })
    } else if (!equalBytes(entry.cid.bytes, row.cid))
      yield found('record-differs', `the tree holds ${entry.cid}, and the table ${cidText(row.cid)}`, {
        path,
      })

    for (const reference of blobs.before(path)) yield strayReference(reference)
    for (const backlink of backlinks.before(path)) yield strayBacklink(backlink)
    const references = readRecord(row)
    const [storedBlobs, storedBacklinks] = [blobs.at(path), backlinks.at(path)]
    if (typeof references === 'string') {
      yield found('record-invalid', references, { path })
      continue
    }
    for (const { ref } of references.blobs) {
      if (!storedBlobs.some(({ cid }) => equalBytes(cid, ref.bytes)))
        yield found('blob-reference-missing', `the record refers to blob ${ref}, and no row says so`, {
          path,
        })
      const blob = selectBlob.get(id, ref.bytes) as { temporary: number } | undefined
      if (blob === undefined)
        yield found('blob-absent', `the record refers to blob ${ref}, which is not here`, {
          level: 'warning',
          path,
          fix: 'upload the blob again (com.atproto.repo.listMissingBlobs names it), or delete the record',
        })
      else if (blob.temporary !== 0)
        yield found('blob-state', `blob ${ref} counts as temporary, and the record refers to it`, { path })
    }
    for (const reference of storedBlobs)
      if (!references.blobs.some(({ ref }) => equalBytes(ref.bytes, reference.cid)))
        yield strayReference(reference)
    const { subject } = references
    if (subject !== undefined && storedBacklinks.length === 0)
      yield found('backlink-missing', `the record is about ${subject}, and no row says so`, { path })
    for (const backlink of storedBacklinks)
      if (backlink.subject !== subject || !path.startsWith(`${backlink.collection}/`))
        yield strayBacklink(backlink)
  }
  for (const entry of listed.before(undefined)) yield absent(entry)
  for (const reference of blobs.before(undefined)) yield strayReference(reference)
  for (const backlink of backlinks.before(undefined)) yield strayBacklink(backlink)

  const unreferenced = sql.prepare(
    `SELECT cid FROM blob WHERE repo = ?1 AND temporary = 0
      AND NOT EXISTS (SELECT 1 FROM record_blob WHERE repo = ?1 AND record_blob.cid = blob.cid)`,
  )
  for (const { cid } of unreferenced.iterate(id) as Iterable<unknown> as Iterable<{ cid: Uint8Array }>)
    yield found('blob-state', `blob ${cidText(cid)} counts as permanent, and no record refers to it`)
}

function* pathsOf(entries: Iterable<readonly [path: string, cid: Cid]>) {
  for (const [path, cid] of entries) yield { path, cid }
}

/** What a record refers to, or what is wrong with it. */
export function readRecord({ path, cid, bytes }: RecordRow): ReturnType<typeof referencesOf> | string {
  if (!isRepoPath(path)) return `${path} is no repository path`
  const actual = cidOfDrisl(bytes)
  if (!equalBytes(actual.bytes, cid))
    return `the record's CID is ${cidText(cid)}, and its bytes are ${actual}`
  try {
    const value = decode(bytes)
    return isDataMap(value) ? referencesOf(path, value) : 'the record is no map'
  } catch (error) {
    if (!(error instanceof DataError)) throw error
    return `the record cannot be read: ${error.message}`
  }
}

function* verifyBlobUsage(sql: Statements, { id }: RepoRow, found: About): Generator<Finding> {
  const actual = sql.prepare(BLOB_USAGE).get(id) as unknown as BlobUsage
  const noted = (sql.prepare('SELECT count, bytes FROM blob_usage WHERE repo = ?').get(id) ?? {
    count: 0,
    bytes: 0,
  }) as unknown as BlobUsage
  if (noted.count !== actual.count || noted.bytes !== actual.bytes)
    yield found(
      'blob-usage-differs',
      `${noted.count} blobs of ${noted.bytes} bytes are noted, and there are ${actual.count} of ${actual.bytes}`,
    )
}

/** What the rows of an account's blobs come to. */
export const BLOB_USAGE = 'SELECT count(*) AS count, coalesce(sum(size), 0) AS bytes FROM blob WHERE repo = ?'

/** The tree is whole, so that what it did not come by belongs to nothing. */
function* orphanNodes(sql: Statements, repo: RepoRow, tree: Tree, found: About): Generator<Finding> {
  const { n } = sql.prepare('SELECT count(*) AS n FROM node WHERE repo = ?').get(repo.id) as { n: number }
  const orphans = n - tree.nodes
  if (orphans > 0) yield found('node-orphan', `${orphans} of ${n} nodes belong to no tree`)
}
