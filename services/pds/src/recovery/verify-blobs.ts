import { createHash } from 'node:crypto'
import { type Cid, cidFromDigest, RAW_CODEC, tryParseCid } from '@imago/data'
import type { Did } from '@imago/syntax'
import { TEMPORARY_BLOB_LIFETIME_MS } from '../blobs/blobs.ts'
import type { DatabaseReader } from '../database/database.ts'
import { type Restored, readRestored } from '../database/restored-state.ts'
import type { BlobFile, BlobInventory } from './blob-inventory.ts'
import type { Finding, FindingCode } from './finding.ts'
import { cidText } from './verify-repo.ts'

export interface BlobCheck {
  readonly database: DatabaseReader
  readonly blobs: BlobInventory
  /** Compare sizes only. */
  readonly quick: boolean
  readonly now: () => number
}

interface Row {
  readonly cid: Uint8Array
  readonly size: number
}

const PAGE = 500

/** `undefined` for bytes that are not the CID of a blob (any more). */
function blobCid(bytes: Uint8Array): Cid | undefined {
  const cid = tryParseCid(cidText(bytes))
  return cid?.codec === RAW_CODEC ? cid : undefined
}

/**
 * Rows and files of one account's blobs, each against the other. The server may be at work: what does not agree is
 * looked at again before it is told.
 */
export async function* verifyBlobs(
  { database, blobs, quick, now }: BlobCheck,
  did: Did,
): AsyncGenerator<Finding, void, undefined> {
  const found = findingOf(did)
  for (let after = new Uint8Array(0); ; ) {
    const page = rowsAfter(database, did, after)
    for (const { cid: bytes, size } of page) {
      const cid = blobCid(bytes)
      if (cid === undefined) {
        yield found('blob-file-missing', `a row speaks of 0x${bytes.toHex()}, which is no CID of a blob`)
        continue
      }
      const file = await blobs.find(did, cid)
      if (file === undefined) {
        if (hasRow(database, did, cid) && (await blobs.find(did, cid)) === undefined)
          yield found('blob-file-missing', `blob ${cid} has a row, and no file`)
      } else if (file.size !== size)
        yield found('blob-file-differs', `blob ${cid} has ${file.size} bytes, and its row says ${size}`, file)
      else if (!quick) {
        const actual = await cidUnlessRemoved(blobs, did, cid, file)
        if (actual?.equals(cid) === false)
          yield found('blob-file-differs', `blob ${cid} holds the bytes of ${actual}`, file)
      }
    }
    if (page.length < PAGE) break
    after = new Uint8Array(page.at(-1)!.cid)
  }
  const restored = restoredOf(database)
  let kept = 0
  for await (const file of blobs.files(did)) {
    const isKept = isKeptSince(restored, file, now)
    if ((!isKept && isYoung(file, now)) || isExpected(database, did, file)) continue
    if (isKept) kept++
    else yield found('blob-file-stray', 'no row speaks of this file', file)
  }
  if (kept > 0) yield keptFiles(did, kept, restored!)
}

function restoredOf(database: DatabaseReader): Restored | undefined {
  using snapshot = database.openSnapshot()
  return readRestored(snapshot)
}

/** Whether a file without a row may be of what the lost server took in after the backup that this one was made of. */
export const isKeptSince = (
  restored: Restored | undefined,
  { modifiedAt }: BlobFile,
  now: () => number,
): boolean =>
  restored !== undefined &&
  modifiedAt !== undefined &&
  modifiedAt >= restored.keepFrom &&
  modifiedAt <= restored.restoredAt &&
  now() < restored.keepUntil

function keptFiles(did: Did, count: number, { backupAt, restoredAt, keepUntil }: Restored): Finding {
  const [from, on, until] = [backupAt, restoredAt, keepUntil].map((ms) => new Date(ms).toISOString())
  return {
    type: 'finding',
    code: 'blob-file-kept',
    level: 'warning',
    did,
    message: `${count} files without a row came about when the backup of ${from} was made, or later; it was restored on ${on}, and they are kept until ${until}`,
    fix: 'nothing has to be done: who posts a record again that refers to such a blob uploads it again, and then the server clears the rest away',
  }
}

/** Files that are no account's, and those of accounts that are not here. */
export async function* verifyStrayBlobs(check: BlobCheck): AsyncGenerator<Finding, void, undefined> {
  for await (const { file, owner } of strayFiles(check))
    yield findingOf(owner)('blob-file-stray', 'the file belongs to no account that is here', file)
}

/** What {@link verifyStrayBlobs} tells of. */
export async function* strayFiles({
  database,
  blobs,
  now,
}: BlobCheck): AsyncGenerator<{ file: BlobFile; owner: Did | undefined }, void, undefined> {
  const restored = restoredOf(database)
  const isSpared = (file: BlobFile) => isYoung(file, now) || isKeptSince(restored, file, now)
  for await (const file of blobs.others()) if (!isSpared(file)) yield { file, owner: undefined }
  for await (const owner of blobs.accounts()) {
    if (hasRepo(database, owner)) continue
    for await (const file of blobs.files(owner))
      if (!isSpared(file) && !isExpected(database, owner, file)) yield { file, owner }
  }
}

/** A server looks for files without rows once in their lifetime, and takes those that are older. */
const STRAY_AGE_MS = 2 * TEMPORARY_BLOB_LIFETIME_MS + 3_600_000

/**
 * An upload under way, or one whose row a crash prevented, which the server will remove: not yet anybody's business. In a
 * store that does not tell when a file came, none is ever old enough to be called a stray.
 */
export const isYoung = ({ modifiedAt }: BlobFile, now: () => number) =>
  modifiedAt === undefined || modifiedAt > now() - STRAY_AGE_MS

/** The CID of what a file holds; `undefined` when the server has removed it in the meantime. */
async function cidUnlessRemoved(
  blobs: BlobInventory,
  did: Did,
  cid: Cid,
  file: BlobFile,
): Promise<Cid | undefined> {
  try {
    return await cidOfFile(blobs, file)
  } catch (error) {
    if ((await blobs.find(did, cid)) === undefined) return undefined
    throw error
  }
}

/** The CID of what a file holds. */
export async function cidOfFile(blobs: BlobInventory, file: BlobFile): Promise<Cid> {
  const hash = createHash('sha256')
  for await (const chunk of blobs.read(file)) hash.update(chunk)
  return cidFromDigest(RAW_CODEC, hash.digest())
}

const findingOf =
  (did?: Did) =>
  (code: FindingCode, message: string, file?: BlobFile): Finding => ({
    type: 'finding',
    code,
    level: 'error',
    ...(did !== undefined && { did }),
    ...(file !== undefined && { path: file.name }),
    message,
    fix: did === undefined ? 'imago pds rebuild' : `imago pds rebuild --did ${did}`,
  })

function rowsAfter(database: DatabaseReader, did: Did, after: Uint8Array): Row[] {
  using snapshot = database.openSnapshot()
  return snapshot
    .prepare(
      `SELECT cid, size FROM blob WHERE repo = (SELECT id FROM repo WHERE did = ?) AND cid > ? ORDER BY cid LIMIT ${PAGE}`,
    )
    .all(did, after) as unknown as Row[]
}

function hasRow(database: DatabaseReader, did: Did, cid: Cid): boolean {
  using snapshot = database.openSnapshot()
  const row = snapshot
    .prepare('SELECT 1 FROM blob WHERE repo = (SELECT id FROM repo WHERE did = ?) AND cid = ?')
    .get(did, cid.bytes)
  return row !== undefined
}

/** Whether a row speaks of a file: as a blob, or as one that is to be removed. */
function isExpected(database: DatabaseReader, did: Did, { cid }: BlobFile): boolean {
  if (cid === undefined) return false
  if (hasRow(database, did, cid)) return true
  using snapshot = database.openSnapshot()
  return snapshot.prepare(TRASH).get(did, cid.bytes) !== undefined
}

/** Bytes whose row is gone, and that the server has still to remove. */
export const TRASH = 'SELECT 1 FROM blob_trash WHERE did = ? AND cid = ?'

function hasRepo(database: DatabaseReader, did: Did): boolean {
  using snapshot = database.openSnapshot()
  return snapshot.prepare('SELECT 1 FROM repo WHERE did = ?').get(did) !== undefined
}
